package trust

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// A trial is a case, what is wanted of it, and how to try it once.
type trial struct {
	name   string
	runs   int
	want   string        // the verdict
	share  float64       // the least part of the trials with it
	within time.Duration // of the median; 0 means any
	run    func(t testing.TB, p *part)
}

// A part has what all trials of one part share.
type part struct {
	limit    time.Duration // five times the p99 of [working] on the quiet machine
	database string
}

func cases() []trial {
	const soon = 4 * time.Second
	base := working(1)
	return append([]trial{
		{"equal handlers", 300, passed, 0.95, soon, compare(base, working(1))},
		{"+10 % work", 60, failed, 0.95, soon, compare(base, working(1.1))},
		{"+20 % work", 60, failed, 0.95, soon, compare(base, working(1.2))},
		{"sleeps 1 ms", 60, failed, 0.95, soon, compare(base, waiting(time.Millisecond, always))},
		{"every second request sleeps 1 ms", 60, failed, 0.95, soon, compare(base, waiting(time.Millisecond, everySecond()))},
		{"work under one lock", 60, failed, 0.90, soon, compare(base, locking())},
		{"100 KB more garbage", 60, failed, 0.95, soon, compare(base, allocating(100))},
		{"N+1 queries on SQLite", 60, failed, 0.95, soon, compareQueries},
		{"20 % of the mix 5 ms slower", 60, failed, 0.90, soon, compare(base, waiting(5*time.Millisecond, oneInFive))},
		{"two processes, equal", 100, passed, 0, 0, compareProcesses("1", "1")},
		{"two processes, +20 % work", 30, failed, 0.95, 0, compareProcesses("1", "1.2")},
		{"p99 at most five times the quiet one", 200, passed, 0.85, 0, limitWithRoom},
		{"all miss that limit twofold", 60, failed, 0.95, 0, limitMissed},
		{"all take 4 ms, p99 at most 2 ms", 60, failed, 0.95, 0, shortLimitMissed},
		{"100 ms, p99 at most 1 s, 8 s to decide", 50, passed, 0.90, 0, slowHandler},
	}, commandCases()...)
}

func compare(base, head loadtestkit.Target) func(testing.TB, *part) {
	return func(t testing.TB, _ *part) {
		loadtestkit.Compare(t, loadtestkit.CompareOptions{Base: base, Head: head})
	}
}

func compareQueries(t testing.TB, p *part) {
	db := open(t, p.database)
	defer db.Close()
	loadtestkit.Compare(t, loadtestkit.CompareOptions{Base: querying(db, joined), Head: querying(db, onePerOrder)})
}

func compareProcesses(base, head string) func(testing.TB, *part) {
	return func(t testing.TB, _ *part) {
		baseURL, stop := startServer(t, base)
		defer stop()
		headURL, stop := startServer(t, head)
		defer stop()
		loadtestkit.Compare(t, loadtestkit.CompareOptions{Base: loadtestkit.URL(baseURL), Head: loadtestkit.URL(headURL)})
	}
}

func limitWithRoom(t testing.TB, p *part) { limit(t, working(1), p.limit, 10*time.Second) }
func limitMissed(t testing.TB, p *part)   { limit(t, sleeping(2*p.limit), p.limit, 10*time.Second) }

func shortLimitMissed(t testing.TB, _ *part) {
	limit(t, sleeping(4*time.Millisecond), 2*time.Millisecond, 10*time.Second)
}

func slowHandler(t testing.TB, _ *part) {
	limit(t, sleeping(100*time.Millisecond), time.Second, 8*time.Second)
}

func limit(t testing.TB, target loadtestkit.Target, p99, budget time.Duration) {
	loadtestkit.Run(t, loadtestkit.Options{Target: target, Limits: loadtestkit.Limits{P99: p99}, Budget: budget})
}

// handler serves f in this process.
func handler(f func() any) loadtestkit.Target {
	return loadtestkit.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, f()) }))
}

// work takes a quarter of a millisecond, times share.
func work(share float64) uint64 {
	x := uint64(1)
	for range int(250_000 * share) {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

func working(share float64) loadtestkit.Target { return handler(func() any { return work(share) }) }

func sleeping(d time.Duration) loadtestkit.Target {
	return handler(func() any { time.Sleep(d); return d })
}

// waiting works and, if chosen, sleeps.
func waiting(d time.Duration, chosen func() bool) loadtestkit.Target {
	return handler(func() any {
		if chosen() {
			time.Sleep(d)
		}
		return work(1)
	})
}

func always() bool    { return true }
func oneInFive() bool { return rand.N(5) == 0 }

func everySecond() func() bool {
	var n atomic.Int64
	return func() bool { return n.Add(1)%2 == 0 }
}

// locking works one request at a time.
func locking() loadtestkit.Target {
	var mu sync.Mutex
	return handler(func() any {
		mu.Lock()
		defer mu.Unlock()
		return work(1)
	})
}

// allocating works and leaves objects of 1 KB as garbage.
func allocating(objects int) loadtestkit.Target {
	return handler(func() any {
		garbage := make([][]byte, objects)
		for i := range garbage {
			garbage[i] = make([]byte, 1000)
		}
		x := work(1)
		runtime.KeepAlive(garbage)
		return x
	})
}

const orders = 20

func open(t testing.TB, path string) *sql.DB {
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	db.SetMaxIdleConns(10) // as many as there are requests at once
	return db
}

// newDatabase makes a database of orders with two items each.
func newDatabase(t testing.TB) (path string) {
	path = filepath.Join(t.TempDir(), "orders.db")
	db := open(t, path)
	defer db.Close()
	_, err := db.Exec(`CREATE TABLE orders (id INTEGER PRIMARY KEY);
		CREATE TABLE items (order_id INTEGER, name TEXT);
		CREATE INDEX items_by_order ON items (order_id)`)
	require.NoError(t, err)
	for id := range orders {
		_, err = db.Exec("INSERT INTO orders VALUES (?); INSERT INTO items VALUES (?, 'pen'), (?, 'ink')", id, id, id)
		require.NoError(t, err)
	}
	return path
}

// querying answers with how many items the orders have.
func querying(db *sql.DB, items func(*sql.DB) (int, error)) loadtestkit.Target {
	return loadtestkit.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n, err := items(db)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, n)
	}))
}

// joined asks for all items at once.
func joined(db *sql.DB) (int, error) {
	return rows(db, "SELECT name FROM orders JOIN items ON order_id = id")
}

// onePerOrder asks for the items of each order.
func onePerOrder(db *sql.DB) (all int, err error) {
	n, err := rows(db, "SELECT id FROM orders")
	for id := 0; id < n && err == nil; id++ {
		var items int
		items, err = rows(db, "SELECT name FROM items WHERE order_id = ?", id)
		all += items
	}
	return all, err
}

// rows counts the rows of the answer, reading each.
func rows(db *sql.DB, query string, args ...any) (n int, err error) {
	r, err := db.Query(query, args...)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for ; r.Next(); n++ {
		var value any
		if err := r.Scan(&value); err != nil {
			return 0, err
		}
	}
	return n, r.Err()
}
