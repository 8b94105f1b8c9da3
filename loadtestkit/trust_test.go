package loadtestkit

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trustEnv makes the tests of this file run, on this machine as it is and for
// about an hour and a half. Its value is the part of the runs to make, 1 for
// all.
const trustEnv = "LOADTESTKIT_TRUST"

// runs is how many of so many runs to make.
func runs(t *testing.T, all int) int {
	share, err := strconv.ParseFloat(os.Getenv(trustEnv), 64)
	if err != nil {
		t.Skipf("takes long: set %s=1 to run it", trustEnv)
	}
	return max(1, int(share*float64(all)))
}

// hogEnv makes the test binary a busy neighbour instead.
const hogEnv = "LOADTESTKIT_TEST_HOG"

// hogging keeps up to twice as many processors busy as there are, at random and
// off and on for 0.1 to 3 s, until its standard input ends, as it does with the
// test, or three hours have passed.
func hogging(processors int) {
	ended := make(chan struct{})
	go func() { io.Copy(io.Discard, os.Stdin); close(ended) }()
	over := time.After(3 * time.Hour)
	for {
		stop := new(atomic.Bool)
		for range rand.N(2*processors + 1) {
			go func() {
				for !stop.Load() {
				}
			}()
		}
		select {
		case <-time.After(100*time.Millisecond + rand.N(2900*time.Millisecond)):
		case <-ended:
			return
		case <-over:
			return
		}
		stop.Store(true)
		if rand.N(2) == 0 {
			time.Sleep(100*time.Millisecond + rand.N(2900*time.Millisecond))
		}
	}
}

// hog starts a busy neighbour in a process of its own, until the test ends.
func hog(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), hogEnv+"=1")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { in.Close(); cmd.Wait() })
}

// working answers after so many steps of work: about 1 ns each.
func working(steps int) Target {
	return Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := uint64(1)
		for range steps {
			x = x*6364136223846793005 + 1442695040888963407
		}
		fmt.Fprint(w, x)
	}))
}

// tally counts verdicts.
type tally struct {
	pass, fail, inconclusive int
	took                     time.Duration
}

func (c *tally) add(f *fakeTB, took time.Duration) {
	c.took += took
	switch {
	case len(f.errors) > 0:
		c.fail++
	case len(f.skips) > 0:
		c.inconclusive++
	default:
		c.pass++
	}
}

func (c *tally) String() string {
	n := c.pass + c.fail + c.inconclusive
	return fmt.Sprintf("%d runs: %d pass, %d fail, %d inconclusive; %.1fs each", n, c.pass, c.fail, c.inconclusive, c.took.Seconds()/float64(max(n, 1)))
}

const quarterMillisecond = 250_000

// comparisons makes so many comparisons of a handler with one that does a given
// number of times its work.
func comparisons(t *testing.T, n int, work float64, budget time.Duration) (c tally) {
	for i := range n {
		began := time.Now()
		f := &fakeTB{}
		f.run(func(t testing.TB) {
			Compare(t, CompareOptions{Base: working(quarterMillisecond), Head: working(int(work * quarterMillisecond)), Budget: budget})
		})
		c.add(f, time.Since(began))
		if len(f.errors) > 0 && work == 1 || i%20 == 0 {
			t.Log(i, c.String(), f.errors)
		}
	}
	return c
}

// Equal handlers are never found different, whatever else the machine does.
func TestTrustEqualHandlersDoNotFail(t *testing.T) {
	n := runs(t, 300)
	hog(t)
	c := comparisons(t, n, 1, 6*time.Second)
	t.Log(c.String())
	assert.Zero(t, c.fail)
}

// A fifth more work is found.
func TestTrustMoreWorkFails(t *testing.T) {
	n := runs(t, 60)
	c := comparisons(t, n, 1.2, 0)
	t.Log(c.String())
	assert.GreaterOrEqual(t, float64(c.fail), 0.95*float64(n))
	assert.Zero(t, c.pass)
}

// quietP99 is the p99 of a handler on a machine that does nothing else.
func quietP99(t *testing.T, target Target) time.Duration {
	r, err := Measure(t.Context(), Options{Target: target, Duration: 3 * time.Second})
	require.NoError(t, err)
	p99, ok := r.ResponseTime(0.99)
	require.True(t, ok)
	return p99
}

// A limit with room to spare is never found missed, whatever else the machine
// does; in the last fifth of the runs that is a lot.
func TestTrustLimitWithRoomDoesNotFail(t *testing.T) {
	n := runs(t, 300)
	target := working(quarterMillisecond)
	limit := 5 * quietP99(t, target)
	t.Logf("p99 <= %v", limit)
	var c tally
	for i := range n {
		if i == n*4/5 {
			t.Log(c.String(), "and now with a busy neighbour")
			hog(t)
		}
		began := time.Now()
		f := &fakeTB{}
		f.run(func(t testing.TB) {
			Run(t, Options{Target: target, Limits: Limits{P99: limit}, Budget: 10 * time.Second})
		})
		c.add(f, time.Since(began))
		if len(f.errors) > 0 || i%20 == 0 {
			t.Log(i, c.String(), f.errors)
		}
	}
	t.Log(c.String())
	assert.Zero(t, c.fail)
}

// A healthy handler passes soon.
func TestTrustHealthyHandlerPassesSoon(t *testing.T) {
	n := runs(t, 50)
	target := working(quarterMillisecond / 10)
	limit := 20 * quietP99(t, target)
	t.Logf("p99 <= %v", limit)
	soon := 0
	var c tally
	for range n {
		began := time.Now()
		f := &fakeTB{}
		f.run(func(t testing.TB) { Run(t, Options{Target: target, Limits: Limits{P99: limit}}) })
		took := time.Since(began)
		c.add(f, took)
		if took < 3*time.Second && len(f.errors) == 0 && len(f.skips) == 0 {
			soon++
		}
	}
	t.Logf("%s; %d of %d passed within 3 s", c.String(), soon, n)
	assert.Zero(t, c.fail)
	assert.GreaterOrEqual(t, float64(c.pass), 0.9*float64(n))
}
