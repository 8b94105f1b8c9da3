package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is said of other tools' flags names flags that exist, and each once.
func TestMeanings(t *testing.T) {
	root := newRoot(newTrial().open())
	seen := map[string]bool{}
	for _, m := range meanings {
		for _, flag := range regexp.MustCompile(`(^| )--[a-z-]+|\(-\w\)`).FindAllString(m.ours, -1) {
			name := strings.Trim(flag, " -()")
			known := root.Flags().Lookup(name)
			if len(name) == 1 {
				known = root.Flags().ShorthandLookup(name)
			}
			assert.True(t, known != nil || slices.Contains(planned, name), m.ours)
		}
		for name := range strings.FieldsSeq(m.names) {
			assert.False(t, seen[name], "%s is there twice", name)
			seen[name] = true
		}
	}
}

// planned are flags of changes that are made beside this one.
var planned = []string{"location", "expect-status", "expect-body", "cert", "cacert", "servername", "tls-min"}
