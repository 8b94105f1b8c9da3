//go:build !linux

package target

import (
	"context"
	"time"
)

func sleepUntil(ctx context.Context, at time.Time) error { return sleepTimer(ctx, at) }
