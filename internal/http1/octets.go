package http1

import (
	"encoding/binary"
	"math/bits"
)

// token is true for the octets of a token (RFC 9110 section 5.6.2).
var token = func() (t [256]bool) {
	for c := range t {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		t[c] = letter || '0' <= c && c <= '9'
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] = true
	}
	return t
}()

// tokenLen returns how many octets at the start of b belong to a token.
func tokenLen(b []byte) int {
	for i, c := range b {
		if !token[c] {
			return i
		}
	}
	return len(b)
}

// textLen returns how many octets at the start of b may stand in a field value:
// anything except control characters other than HTAB. It reads eight at a time.
func textLen(b []byte) int {
	const (
		ones = 0x0101010101010101
		high = 0x80 * ones
	)
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		// A byte of below has its high bit set where that of x is less than
		// 0x20; a byte of del where it is 0x7f. A borrow can set further bits,
		// but only after a true one, so each hit is checked.
		below := (x - 0x20*ones) &^ x
		del := x ^ 0x7f*ones
		del = (del - ones) &^ del
		for hit := (below | del) & high; hit != 0; hit &= hit - 1 {
			at := i + bits.TrailingZeros64(hit)/8
			if c := b[at]; c != '\t' && isControl(c) {
				return at
			}
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c != '\t' && isControl(c) {
			return i
		}
	}
	return i
}

func isControl(c byte) bool { return c < 0x20 || c == 0x7f }

// equalFold reports whether b equals lower, ignoring case. lower consists of
// lower-case letters and hyphens and b has no control characters, so that setting
// bit 5 maps no other octet of b to one of these.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	if string(b) == lower {
		return true
	}
	for i, c := range b {
		if c|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// unhex returns the value of a hexadecimal digit, -1 for anything else.
func unhex(c byte) int64 {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int64(c|0x20-'a') + 10
	}
	return -1
}
