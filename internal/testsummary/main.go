// Command testsummary reads what go test -json prints, of one run or of several one after another, shows what failed in full,
// and ends with one line that counts the tests and says why some were skipped. It exits with 1 if a test, a package or
// a build failed, and where CI=true if a test was skipped for a reason that is not the platform's.
package main

import (
	"fmt"
	"os"
)

func main() {
	var s summary
	if err := s.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
	line, err := s.result(os.Getenv("CI") == "true")
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
	}
	fmt.Println(line)
	if err != nil {
		os.Exit(1)
	}
}
