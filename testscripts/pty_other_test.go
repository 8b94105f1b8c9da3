//go:build !linux

package testscripts

import (
	"errors"
	"os"
)

func openPty(int) (control, terminal *os.File, err error) {
	return nil, nil, errors.ErrUnsupported
}

func stopTerminal(*os.File) error { return errors.ErrUnsupported }
