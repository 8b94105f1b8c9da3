package testscripts

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openPty returns the two ends of a new terminal with the given number of columns: what
// is written to terminal can be read from control. See pts(4).
func openPty(columns int) (control, terminal *os.File, err error) {
	control, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(control.Fd())
	defer func() {
		if err != nil {
			control.Close()
		}
	}()
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, fmt.Errorf("unlocking a terminal: %w", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, fmt.Errorf("naming a terminal: %w", err)
	}
	size := &unix.Winsize{Row: 24, Col: uint16(columns)}
	if err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size); err != nil {
		return nil, nil, fmt.Errorf("sizing a terminal: %w", err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	return control, terminal, err
}

// stopTerminal keeps a terminal from taking output, as Ctrl+S does.
func stopTerminal(terminal *os.File) error {
	return unix.IoctlSetInt(int(terminal.Fd()), unix.TCXONC, unix.TCOOFF)
}
