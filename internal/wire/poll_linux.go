package wire

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// eventsAtOnce bounds how many connections are served between two looks at the
// clock. Chosen.
const eventsAtOnce = 128

// armLeast is the shortest wait that the timer is used for. One that is armed
// for the next sweep stays so over many waits, each of which would have to set
// and unset a timeout of its own; arming it costs more than one of those.
const armLeast = time.Millisecond

// yieldEvery is half of what the scheduler lets a goroutine run for. From one
// that ran longer, it takes the processor while it waits in a system call, and
// then looks for more such work 50 times in a few milliseconds, which is a
// tenth of what a single connection costs.
const yieldEvery = 5 * time.Millisecond

// What in a poll is no place.
const (
	timerEvent = -1 - iota
	wakeEvent
)

// A poll waits for sockets, for a time and to be woken. It belongs to one
// goroutine, but for wake.
//
// Where something else in this process may have work, such as a handler under
// test, it waits in the runtime's own poller, so that the processor goes to
// whoever needs it meanwhile. Where nothing does, it waits in a system call of
// its own, which the scheduler knows of but takes its time to make up for: that
// costs a third less. Only system calls that cannot block are made behind the
// scheduler's back.
type poll struct {
	fd     int
	events [eventsAtOnce]unix.EpollEvent
	ready  int        // how many of them there are
	timer  int        // timerfd, edge-triggered and never read
	armed  time.Time  // when it fires next
	alarm  sync.Mutex // guards wakeFD: a wake may come after free
	wakeFD int        // eventfd, edge-triggered and never read; -1 once closed

	yielded time.Time // when one that waits by itself last did

	// Of one that waits in the runtime's poller.
	file *os.File        // of fd; nil for one that waits by itself
	park syscall.RawConn // of file
	look func(uintptr) bool
}

// open makes the poll and what is always in it. alone says that nothing else in
// this process has work while it waits. After an error it can be closed.
func (p *poll) open(alone bool) (err error) {
	p.timer, p.wakeFD = -1, -1
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("creating a poll: %w", err)
	}
	if p.wakeFD, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return fmt.Errorf("creating the poll's alarm: %w", err)
	}
	if err = p.watch(unix.EPOLL_CTL_ADD, p.wakeFD, wakeEvent, unix.EPOLLIN|unix.EPOLLET); err != nil {
		return err
	}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return fmt.Errorf("creating the poll's timer: %w", err)
	}
	if err = p.watch(unix.EPOLL_CTL_ADD, p.timer, timerEvent, unix.EPOLLIN|unix.EPOLLET); err != nil {
		return err
	}
	if _, errno := p.sleep(0); alone && errno == 0 { // the call is of Linux 5.11
		if runtime.NumCPU() == 1 {
			// The scheduler would take back its only processor each 20 µs.
			runtime.GOMAXPROCS(2)
		}
		return nil
	}
	unix.SetNonblock(p.fd, true) // or else the runtime will not poll it
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	if p.park, err = p.file.SyscallConn(); err != nil {
		return fmt.Errorf("polling the poll: %w", err)
	}
	p.look = func(uintptr) bool { p.ready = p.peek(); return p.ready > 0 }
	return nil
}

// wait returns what is ready, once something is or d has passed; d <= 0 looks
// without waiting. expired says that nothing but time has passed, less than d
// where the timer was armed for something before.
func (p *poll) wait(d time.Duration) (events []unix.EpollEvent, expired bool) {
	switch {
	case d <= 0:
		p.ready = p.peek()
		expired = p.ready == 0
	case p.file == nil:
		var errno syscall.Errno
		p.ready, errno = p.sleep(d)
		expired = p.ready == 0 && errno == 0
	default:
		if p.ready = p.peek(); p.ready == 0 {
			p.arm(d)
			p.park.Read(p.look)
		}
	}
	events = p.events[:p.ready]
	for i := range events {
		if events[i].Fd == timerEvent {
			p.armed = time.Time{}
			expired = len(events) == 1
		}
	}
	return events, expired
}

// peek asks what is ready, without waiting.
func (p *poll) peek() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), eventsAtOnce, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// sleep asks what is ready, waiting for it by itself.
func (p *poll) sleep(d time.Duration) (int, syscall.Errno) {
	p.yield()
	most := [2]int64{int64(d / time.Second), int64(d % time.Second)} // 64 bits on 32-bit systems too
	until := &most
	if d >= armLeast {
		p.arm(d)
		until = nil
	}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), eventsAtOnce, uintptr(unsafe.Pointer(until)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// yield lets the scheduler see, now and then, that this goroutine is not stuck.
func (p *poll) yield() {
	if now := time.Now(); now.Sub(p.yielded) >= yieldEvery {
		p.yielded = now
		runtime.Gosched()
	}
}

// arm makes the timer fire after d at the latest.
func (p *poll) arm(d time.Duration) {
	at := time.Now().Add(d)
	if !p.armed.IsZero() && !p.armed.After(at) {
		return
	}
	p.armed = at
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(p.timer), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// wake ends the wait under way, or else the next one. It may be called from any
// goroutine, also after free.
func (p *poll) wake() {
	p.alarm.Lock()
	defer p.alarm.Unlock()
	one := [8]byte{1}
	unix.Write(p.wakeFD, one[:])
}

// free frees it.
func (p *poll) free() {
	p.alarm.Lock()
	unix.Close(p.wakeFD)
	p.wakeFD = -1
	p.alarm.Unlock()
	unix.Close(p.timer)
	if p.file == nil {
		unix.Close(p.fd)
		return
	}
	p.file.Close()
}

// watch adds a socket to the poll, or changes what it is watched for; i is what
// its events are told by. To add one can fail: a user may watch so many.
func (p *poll) watch(op, fd, i int, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, op, fd, &unix.EpollEvent{Events: events, Fd: int32(i)}))
}
