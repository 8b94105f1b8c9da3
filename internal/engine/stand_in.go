package engine

import (
	"runtime/metrics"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Stand-ins for what other packages are about to have.

type meter struct{}

func (*meter) Read() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t)
	return time.Duration(t.Nano()), err
}

func mutexWait() float64 {
	s := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64()
}

func claimsOf(ts []verdict.Tolerance, cpu, allocs, bytes, margin float64, names []string) (all []verdict.Claim) {
	for _, t := range ts {
		switch {
		case t.Q == 0.5:
			m := margin
			if m == 0 {
				m = 1.2
			}
			if cpu == 0 {
				cpu = t.Ratio
			}
			all = append(all, verdict.Claim{Name: verdict.Quick, Fail: t.Ratio, Pass: t.Ratio},
				verdict.Claim{Name: verdict.Alone, Fail: t.Ratio, Pass: t.Ratio * m},
				verdict.Claim{Name: verdict.Burst, Fail: t.Ratio, Pass: t.Ratio * m})
		case t.Q >= 0.9:
			m := margin
			if m == 0 {
				m = 1.8
			}
			all = append(all, verdict.Claim{Name: verdict.Tail, Q: t.Q, Fail: t.Ratio, Pass: t.Ratio * m})
		}
	}
	if cpu > 0 {
		all = append(all, verdict.Claim{Name: verdict.Work, Fail: cpu, Pass: cpu})
	}
	all = append(all, verdict.Claim{Name: verdict.Locks, Fail: 1.05})
	return slices.DeleteFunc(all, func(c verdict.Claim) bool { return len(names) > 0 && !slices.Contains(names, c.Name) })
}
