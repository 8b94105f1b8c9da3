package text

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
)

// Several addresses are always named, a single one only if that was asked for.
func TestAddressesAreNamed(t *testing.T) {
	d := success()
	d.Addresses = []record.Address{{Address: "10.0.0.1", Connections: 1}}
	assert.NotContains(t, render(t, d, Style{}), "Addresses")
	assert.Contains(t, render(t, d, Style{Verbose: true}), "\nAddresses: 10.0.0.1 (1 connection)\n")
	d.Addresses = append(d.Addresses, record.Address{Address: "::1", Failed: 3})
	assert.Contains(t, render(t, d, Style{}), "\nAddresses: 10.0.0.1 (1 connection), ::1 (0 connections, 3 failed)\n")
	for range maxAddresses {
		d.Addresses = append(d.Addresses, record.Address{Address: "::2"})
	}
	assert.Contains(t, render(t, d, Style{}), "::2 (0 connections), and 2 more\n")

	c := compared()
	c.Base.Addresses, c.Addresses = d.Addresses[:2], d.Addresses[1:3]
	text := render(t, c, Style{})
	assert.Contains(t, text, "\nAddresses of base: 10.0.0.1 (1 connection), ::1 ")
	assert.Contains(t, text, "\nAddresses of head: ::1 (0 connections, 3 failed), ::2 ")
}

func TestPhases(t *testing.T) {
	times := record.NewTimes()
	times.Record(1000)
	d := success()
	d.FirstOctet = report.Summarize(times)
	assert.NotContains(t, render(t, d, Style{}), "octet")
	assert.Contains(t, render(t, d, Style{Verbose: true}), "\nFirst octet:\n  mean:      1µs\n")
	d.ConnectTime, d.TLSTime = d.FirstOctet, d.FirstOctet
	assert.Contains(t, render(t, d, Style{Verbose: true}), ""+
		"\nPhases:       connect          TLS  first octet\n"+
		"  mean:           1µs          1µs          1µs\n")
}
