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

// maxEvents bounds how many connections are served between two readings of the
// clock.
const maxEvents = 128

// minArm is the shortest wait that the timer is used for. A timer armed for the
// next sweep stays armed over many waits, each of which would otherwise set and
// clear a timeout in the kernel. Arming it costs more than one such timeout.
const minArm = time.Millisecond

// yieldEvery is half the time slice of a goroutine. If a goroutine that has run
// longer waits in a system call, the scheduler takes its processor away, and then
// looks for more such goroutines 50 times in a few milliseconds, which is a tenth
// of what a single connection costs.
const yieldEvery = 5 * time.Millisecond

// The events of a poll that belong to no socket.
const (
	timerEvent = -1 - iota
	wakeEvent
)

// A poll waits until a socket is ready, a time has passed or it is woken. It
// belongs to one goroutine, except that wake may be called from any.
//
// If something else in this process may have work to do, such as a handler under
// test, the poll waits in the runtime's poller, so that others get the processor
// meanwhile. If nothing does, it waits in a system call of its own, which costs a
// third less. The scheduler knows about that call, but is slow to give the
// processor away. Only system calls that cannot block bypass the scheduler.
type poll struct {
	fd     int
	events [maxEvents]unix.EpollEvent
	ready  int        // how many events there are
	timer  int        // timerfd, edge-triggered and never read
	armed  time.Time  // when it fires next
	wakeMu sync.Mutex // guards wakeFD: wake may be called after free
	wakeFD int        // eventfd, edge-triggered and never read; -1 once closed

	yielded time.Time // when the goroutine last yielded; used by a poll with its own system call

	// Used by a poll that waits in the runtime's poller.
	file    *os.File        // of fd; nil for a poll with its own system call
	raw     syscall.RawConn // of file
	peekRaw func(uintptr) bool
}

// open creates the poll, its timer and its wake event. alone reports that nothing
// else in this process has work to do while it waits. A poll that could not be
// opened must be freed too.
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
	if err = unix.TimerfdSettime(p.timer, 0, new(unix.ItimerSpec), nil); err != nil {
		return fmt.Errorf("setting the poll's timer: %w", err)
	}
	if err = p.watch(unix.EPOLL_CTL_ADD, p.timer, timerEvent, unix.EPOLLIN|unix.EPOLLET); err != nil {
		return err
	}
	if _, errno := p.sleep(0); alone && errno == 0 { // epoll_pwait2 came with Linux 5.11
		if runtime.NumCPU() == 1 {
			// The scheduler would take back its only processor every 20 µs.
			runtime.GOMAXPROCS(2)
		}
		return nil
	}
	unix.SetNonblock(p.fd, true) // the runtime polls no other files
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	if p.raw, err = p.file.SyscallConn(); err != nil {
		return fmt.Errorf("polling the poll: %w", err)
	}
	p.peekRaw = func(uintptr) bool { p.ready = p.peek(); return p.ready > 0 }
	return nil
}

// wait returns the events that have occurred, as soon as there are any or d has
// passed; with d <= 0 it does not wait. expired reports that it ended only because
// time passed: perhaps less than d, if the timer was armed for an earlier time.
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
			p.raw.Read(p.peekRaw)
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

// peek reads the events that have occurred, without waiting, and returns how many.
func (p *poll) peek() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), maxEvents, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// sleep waits for events for at most d, in a system call of its own, and returns
// how many there are.
func (p *poll) sleep(d time.Duration) (int, syscall.Errno) {
	p.yield()
	spec := [2]int64{int64(d / time.Second), int64(d % time.Second)} // 64 bits on 32-bit systems too
	timeout := &spec
	if d >= minArm {
		p.arm(d)
		timeout = nil
	}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), maxEvents, uintptr(unsafe.Pointer(timeout)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// yield shows the scheduler now and then that this goroutine is not stuck.
func (p *poll) yield() {
	if now := time.Now(); now.Sub(p.yielded) >= yieldEvery {
		p.yielded = now
		runtime.Gosched()
	}
}

// arm makes the timer fire after d, or earlier if it is armed for an earlier time.
func (p *poll) arm(d time.Duration) {
	at := time.Now().Add(d)
	if !p.armed.IsZero() && !p.armed.After(at) {
		return
	}
	p.armed = at
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(p.timer), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// wake ends the current wait, or else the next one. It may be called from any
// goroutine, even after free.
func (p *poll) wake() {
	p.wakeMu.Lock()
	defer p.wakeMu.Unlock()
	one := [8]byte{1}
	unix.Write(p.wakeFD, one[:])
}

// free closes the poll's file descriptors.
func (p *poll) free() {
	p.wakeMu.Lock()
	unix.Close(p.wakeFD)
	p.wakeFD = -1
	p.wakeMu.Unlock()
	unix.Close(p.timer)
	if p.file == nil {
		unix.Close(p.fd)
		return
	}
	p.file.Close()
}

// watch adds a socket to the poll, or changes the events it is watched for, which
// are reported with the number i. Adding can fail, because the number of files a
// user may watch is limited.
func (p *poll) watch(op, fd, i int, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, op, fd, &unix.EpollEvent{Events: events, Fd: int32(i)}))
}
