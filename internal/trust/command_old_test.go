//go:build old

package trust

// commandCases are none: the other commit cannot start servers.
func commandCases() []trial { return nil }
