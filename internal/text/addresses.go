package text

import (
	"fmt"
	"strings"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// maxAddresses bounds how many addresses of one target are listed.
const maxAddresses = 8

// addresses writes the addresses of each target that has several, or of all if
// verbose.
func (p *page) addresses() {
	line := func(title string, of []record.Address) {
		if len(of) > 1 || p.s.Verbose && len(of) > 0 {
			p.b.WriteString(title + ": " + addresses(of) + "\n")
		}
	}
	if p.d.Base == nil {
		line("Addresses", p.d.Addresses)
		return
	}
	line("Addresses of base", p.d.Base.Addresses)
	line("Addresses of head", p.d.Addresses)
}

// addresses lists addresses with the number of connections to each.
func addresses(all []record.Address) string {
	var parts []string
	for _, a := range all[:min(len(all), maxAddresses)] {
		n := unit.Plural(a.Connections, "connection")
		if a.Failed > 0 {
			n += fmt.Sprintf(", %d failed", a.Failed)
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", a.Address, n))
	}
	if more := len(all) - maxAddresses; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}
