/*
 * Node does file system calls on four threads unless told otherwise, before the first of them. A sync waits for the disk
 * and holds its thread, and a disk takes many at once for the price of one: with 16 threads, syncs of 20 files at once
 * are two and a half times as fast (`npm run bench -- store`).
 */
process.env['UV_THREADPOOL_SIZE'] ??= '16';
