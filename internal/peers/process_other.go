//go:build !linux

package main

import (
	"errors"
	"os"
	"os/exec"
)

// main refuses to measure on other systems, so none of these is called.

func allowedCPUs() ([]int, error)   { return nil, errors.ErrUnsupported }
func startOn(int, *exec.Cmd) error  { return errors.ErrUnsupported }
func setGroup(*exec.Cmd)            {}
func maxRSS(*os.ProcessState) int64 { return 0 }
func raiseFiles() (uint64, error)   { return 0, errors.ErrUnsupported }
func kernel() string                { return "" }
