package target

// A Port is a TCP port of 127.0.0.1 that the system gives to nobody else while
// nothing listens there: connections to it are refused, a server may come and
// go. Outside Linux it is a port that was free a moment ago.
type Port struct {
	Number int
	fd     int
}
