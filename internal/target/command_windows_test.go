package target

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Ctrl+C on the console reaches all processes of the group that is in front: a server
// is not in it, and keeps the other flags that its command has.
func TestCommandLeadsAGroup(t *testing.T) {
	for _, own := range []*syscall.SysProcAttr{nil, {HideWindow: true, CreationFlags: 0x08000000}} {
		c := &exec.Cmd{SysProcAttr: own}
		var flags uint32
		if own != nil {
			flags = own.CreationFlags
		}
		leadGroup(c)
		require.NotNil(t, c.SysProcAttr)
		assert.Equal(t, flags|syscall.CREATE_NEW_PROCESS_GROUP, c.SysProcAttr.CreationFlags)
		assert.Equal(t, own != nil, c.SysProcAttr.HideWindow)
	}
}
