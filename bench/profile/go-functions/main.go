// Names the functions of a Go binary, stripped or not, at addresses: `go run main.go <binary> <file of addresses>`.
// Prints a line for each address, empty for one that is outside of the program's code.
package main

import (
	"bufio"
	"debug/elf"
	"debug/gosym"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
)

func main() {
	binary, err := elf.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	section := binary.Section(".gopclntab")
	if section == nil {
		log.Fatal(os.Args[1], " is no Go program")
	}
	table, err := section.Data()
	if err != nil {
		log.Fatal(err)
	}
	text := binary.Section(".text").Addr
	functions, err := gosym.NewTable(nil, gosym.NewLineTable(table, text))
	if err != nil {
		log.Fatal(err)
	}
	addresses, err := os.Open(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines := bufio.NewScanner(addresses); lines.Scan(); {
		address, err := strconv.ParseUint(strings.TrimSpace(lines.Text()), 16, 64)
		if err != nil {
			continue
		}
		name := ""
		if found := functions.PCToFunc(address); found != nil {
			name = found.Name
		}
		fmt.Fprintln(out, name)
	}
}
