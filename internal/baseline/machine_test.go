package baseline

import (
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

func TestFingerprint(t *testing.T) {
	f := fingerprint(fstest.MapFS{
		"proc/sys/kernel/osrelease": {Data: []byte("6.8.0-45-generic\n")},
		"proc/cpuinfo": {Data: []byte("processor\t: 0\nmodel name\t: AMD EPYC 7763 64-Core Processor\nflags\t\t: fpu vme hypervisor lahf_lm\n\n" +
			"processor\t: 1\nmodel name\t: another\n")},
		"sys/fs/cgroup/cpu.stat": {Data: []byte("usage_usec 1\n")},
		"sys/fs/cgroup/cpu.max":  {Data: []byte("150000 100000\n")},
	})
	assert.Equal(t, Fingerprint{
		CPU: "AMD EPYC 7763 64-Core Processor", GOMAXPROCS: runtime.GOMAXPROCS(0), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Kernel: "6.8.0-45-generic", Virtualised: true, CgroupQuota: 1.5,
	}, f)
	empty := fingerprint(fstest.MapFS{})
	assert.Equal(t, Fingerprint{GOMAXPROCS: runtime.GOMAXPROCS(0), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}, empty, "a system without these files")
}

func TestReference(t *testing.T) {
	assert.Equal(t, uint32(3576839040), work(), "the work must not change: old records contain its time")
	assert.Positive(t, Reference())
}
