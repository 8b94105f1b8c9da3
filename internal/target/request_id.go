package target

import "context"

// requestIDHeader carries a request's id on the wire.
const requestIDHeader = "X-Request-Id"

type requestIDKey struct{}

// WithRequestID returns a copy of ctx that carries the request's id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx belongs to, "" without one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
