package target

import (
	"container/heap"
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sleepers wakes every goroutine in sleepUntil. It has a goroutine and a
// descriptor only while at least one sleeps.
var sleepers alarm

// sleepUntil returns nil at the time at, or ctx's error if ctx ends first.
func sleepUntil(ctx context.Context, at time.Time) error {
	n := &nap{at: at, over: make(chan struct{})}
	if !sleepers.add(n) {
		return sleepTimer(ctx, at)
	}
	select {
	case <-n.over:
		return nil
	case <-ctx.Done():
		sleepers.remove(n)
		return ctx.Err()
	}
}

// An alarm ends naps with a kernel timer, for which the runtime's poller waits as
// for a socket. That is precise: only epoll_wait's own timeout is rounded to
// milliseconds. The zero value is ready to use.
//
// Note: a blocking nanosleep in the goroutine is as precise, but needs three
// times the CPU and a thread for each sleeper, and on a single processor blocks
// every other goroutine until the runtime's monitor notices.
type alarm struct {
	mu    sync.Mutex
	naps  naps
	timer *os.File // a timerfd; nil while no goroutine sleeps
	fd    int      // timer's descriptor, because File.Fd would make it blocking
}

// A nap is one goroutine's sleep.
type nap struct {
	at    time.Time
	over  chan struct{} // closed when the nap ends
	index int           // in the heap; -1 outside it
}

// add starts a nap. It returns false if the kernel gives no timer.
func (a *alarm) add(n *nap) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err != nil {
			return false
		}
		if unix.TimerfdSettime(fd, 0, new(unix.ItimerSpec), nil) != nil { // a sandbox refuses it
			unix.Close(fd)
			return false
		}
		a.timer, a.fd = os.NewFile(uintptr(fd), "timerfd"), fd
		go a.run()
	}
	heap.Push(&a.naps, n)
	if n.index == 0 {
		a.set(time.Until(n.at))
	}
	return true
}

// remove removes a nap that was given up.
func (a *alarm) remove(n *nap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n.index < 0 {
		return
	}
	heap.Remove(&a.naps, n.index)
	if len(a.naps) == 0 {
		a.set(0)
	}
}

// set makes the timer fire after d. The caller holds the lock.
func (a *alarm) set(d time.Duration) {
	// 0 would stop the timer instead.
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))}
	// It cannot fail: the descriptor is a timer and the value is in range.
	_ = unix.TimerfdSettime(a.fd, 0, &spec, nil)
}

// run wakes the sleepers until none is left.
func (a *alarm) run() {
	a.mu.Lock()
	defer a.mu.Unlock()
	var expirations [8]byte
	for {
		now := time.Now()
		for len(a.naps) > 0 && !a.naps[0].at.After(now) {
			close(heap.Pop(&a.naps).(*nap).over)
		}
		if len(a.naps) == 0 {
			a.timer.Close()
			a.timer = nil
			return
		}
		a.set(a.naps[0].at.Sub(now))
		timer := a.timer
		a.mu.Unlock()
		_, err := timer.Read(expirations[:])
		a.mu.Lock()
		if err != nil { // the poller did not accept the timer: poll the clock
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// naps is a heap with the nap that ends first at its root.
type naps []*nap

func (h naps) Len() int           { return len(h) }
func (h naps) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h naps) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *naps) Push(x any) {
	n := x.(*nap)
	n.index = len(*h)
	*h = append(*h, n)
}

func (h *naps) Pop() any {
	old := *h
	n := old[len(old)-1]
	n.index = -1
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return n
}
