package host

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

func TestCPU(t *testing.T) {
	check := func(cpuinfo, want, why string) {
		t.Helper()
		assert.Equal(t, want, CPU(fstest.MapFS{"proc/cpuinfo": {Data: []byte(cpuinfo)}}), why)
	}
	check("processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC: 7763\n\nprocessor\t: 1\nmodel name\t: other\n", "AMD EPYC: 7763", "the first")
	check("processor\t: 0\nBogoMIPS\t: 50.00\n", "", "as on many ARM machines")
	assert.Empty(t, CPU(fstest.MapFS{}), "no such file")
}
