package wsconn

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// strangers and beatGap are those of BenchmarkStrangersBeat: as many silent
// sockets, and the time between two heartbeats of all of them together, that of
// 19,000 visitors with one every 25 seconds each. It is the pace at which the
// figures in doc.go were measured, not the widget's.
const (
	strangers = 2000
	beatGap   = 25 * time.Second / 19_000
)

// peersURL tells a process of this test program that it is the strangers.
const peersURL = "WSCONN_PEERS"

// BenchmarkStrangersBeat is the processor time, in this process alone, that a
// heartbeat costs when heartbeats of strangers come one by one. Its ns/op says
// nothing: it is the pace at which they come.
func BenchmarkStrangersBeat(b *testing.B) {
	s := mode{}.serve(b, beating())
	peers := exec.Command(os.Args[0], "-test.run=^TestBeingThePeers$")
	peers.Env = append(os.Environ(), peersURL+"="+s.url)
	peers.Stderr = os.Stderr
	orders, err := peers.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	answers, err := peers.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := peers.Start(); err != nil {
		b.Fatal(err)
	}
	rec := newRecorder()
	rec.ended = make(chan error, strangers)
	for range strangers {
		c := <-s.open
		c.Serve(once{rec})
	}
	said := bufio.NewScanner(answers)
	hear := func(want string) {
		if !said.Scan() || said.Text() != want {
			b.Fatalf("the peers said %q, %v", said.Text(), said.Err())
		}
	}
	hear("ready")
	b.ResetTimer()
	before := used()
	fmt.Fprintln(orders, b.N)
	hear("done")
	b.StopTimer()
	b.ReportMetric(float64((used()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(100*float64(used()-before)/float64(b.Elapsed()), "%processor")
	orders.Close()
	if err := peers.Wait(); err != nil {
		b.Fatal(err)
	}
	for range strangers {
		<-rec.ended
	}
}

// used is this process's processor time so far.
func used() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestBeingThePeers is no test: it is the other process of
// BenchmarkStrangersBeat. It opens the sockets, then sends as many heartbeats
// as it is told, one by one, and waits for their answers.
func TestBeingThePeers(t *testing.T) {
	url := os.Getenv(peersURL)
	if url == "" {
		t.Skip("only for BenchmarkStrangersBeat")
	}
	answered := make(chan struct{}, strangers)
	peers := make([]*Client, strangers)
	var readers sync.WaitGroup
	for i := range peers {
		c, _, err := Dial(context.Background(), url, DialConfig{})
		if err != nil {
			t.Fatal(err)
		}
		peers[i] = c
		readers.Go(func() {
			var buf []byte
			for {
				var err error
				if buf, err = c.ReadInto(context.Background(), buf[:0]); err != nil {
					return
				}
				answered <- struct{}{}
			}
		})
	}
	fmt.Println("ready")
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		n, _ := strconv.Atoi(strings.TrimSpace(orders.Text()))
		go beatAll(peers, n)
		for range n {
			<-answered
		}
		fmt.Println("done")
	}
	for _, c := range peers {
		c.Cut()
	}
	readers.Wait()
}

// beatAll sends n heartbeats, one of each peer in turn, evenly in time.
func beatAll(peers []*Client, n int) {
	tick := time.NewTicker(beatGap)
	defer tick.Stop()
	begun, sent := time.Now(), 0
	for sent < n {
		<-tick.C
		for ; sent < min(n, int(time.Since(begun)/beatGap)); sent++ {
			if peers[sent%len(peers)].Write(context.Background(), []byte(beat)) != nil {
				return
			}
		}
	}
}
