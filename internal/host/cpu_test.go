package host

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

func TestCPU(t *testing.T) {
	check := func(cpuinfo, want string, wantVirtual bool, why string) {
		t.Helper()
		name, virtual := CPU(fstest.MapFS{"proc/cpuinfo": {Data: []byte(cpuinfo)}})
		assert.Equal(t, want, name, why)
		assert.Equal(t, wantVirtual, virtual, why)
	}
	check("processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC: 7763\nflags\t\t: fpu vme hypervisor lahf_lm\n\nprocessor\t: 1\nmodel name\t: other\n",
		"AMD EPYC: 7763", true, "the first")
	check("processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n", "0x41 0x3 0xd0c", false, "ARM")
	check("flags : fpu hypervisors\n", "", false, "another flag")
	check("processor\t: 0\nBogoMIPS\t: 50.00\n", "", false, "neither is told")
	name, virtual := CPU(fstest.MapFS{})
	assert.Empty(t, name, "no such file")
	assert.False(t, virtual)
}
