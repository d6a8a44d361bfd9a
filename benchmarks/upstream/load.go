package main

import (
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of one run, whatever the command line says.
const (
	connectionsMax = 1024
	secondsMax     = 600
	rateMax        = 100_000
)

// result is what a run prints, as JSON. Times of calls are in milliseconds, from sending to the whole answer; with
// a rate they count from the moment the call was due, so that a stall is not hidden by calls that were not made.
type result struct {
	Requests    int     `json:"requests"`
	Errors      int     `json:"errors"`
	FirstError  string  `json:"first_error"`
	Seconds     float64 `json:"seconds"`
	PerSecond   float64 `json:"per_second"`
	P50         float64 `json:"p50_ms"`
	P90         float64 `json:"p90_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
	Tool        string  `json:"tool"`
	AllRequests int     `json:"all_requests"`  // with the warm-up's, for shares of CPU time
	LoaderCPUus float64 `json:"loader_cpu_us"` // of this process, for one call
}

type plan struct {
	clients []*client
	warmup  time.Duration
	lasting time.Duration
	rate    float64 // calls a second over all connections; 0: each as fast as answers come
	due     atomic.Int64
}

type lane struct {
	took   []time.Duration
	made   int // with the warm-up's
	errors int
	first  error
}

func runLoad(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	target := flags.String("url", "", "MCP endpoint on loopback")
	connections := flags.Int("connections", 1, "clients, each with a connection and a session of its own")
	seconds := flags.Float64("seconds", 5, "time measured")
	warmup := flags.Float64("warmup", 0.5, "seconds before, not measured")
	rate := flags.Float64("rate", 0, "calls a second over all connections, 0 for as many as can be")
	shared := flags.Bool("shared-session", false, "one session for all connections, as one busy client has it")
	token := flags.String("token", "", "bearer token that every request carries")
	version := flags.String("revision", "2025-11-25", "MCP revision that the clients speak")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	parsed, err := bounded(*target, *connections, *seconds+*warmup, *rate)
	if err != nil {
		return err
	}
	p := &plan{warmup: duration(*warmup), lasting: duration(*seconds), rate: *rate}
	defer p.close()
	for range *connections {
		session := ""
		if *shared && len(p.clients) > 0 {
			session = p.clients[0].session
		}
		made, err := dial(parsed, *version, session, *token)
		if err != nil {
			return err
		}
		p.clients = append(p.clients, made)
	}
	return json.NewEncoder(os.Stdout).Encode(p.run())
}

func bounded(target string, connections int, seconds, rate float64) (*url.URL, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if host := parsed.Hostname(); host != "127.0.0.1" && host != "::1" && host != "localhost" {
		return nil, errors.New("--url must be on loopback")
	}
	if connections < 1 || connections > connectionsMax || seconds > secondsMax || rate > rateMax {
		return nil, errors.New("out of bounds: at most 1024 connections, 600 seconds, 100000 calls a second")
	}
	return parsed, nil
}

func (p *plan) run() result {
	begun := time.Now()
	measured := begun.Add(p.warmup)
	until := measured.Add(p.lasting)
	lanes := make([]lane, len(p.clients))
	var all sync.WaitGroup
	before := cpu()
	for number := range p.clients {
		all.Add(1)
		go func() {
			defer all.Done()
			p.drive(p.clients[number], &lanes[number], begun, measured, until)
		}()
	}
	all.Wait()
	return p.sum(lanes, cpu()-before)
}

// drive makes calls on one connection until the time is up or the connection fails.
func (p *plan) drive(c *client, to *lane, begun, measured, until time.Time) {
	if err := c.connection.SetDeadline(until.Add(10 * time.Second)); err != nil {
		to.errors, to.first = 1, err
		return
	}
	for {
		sent := p.next(begun)
		// With a rate that is not borne, calls fall due long before they can be made: the clock ends the run.
		if !sent.Before(until) || !time.Now().Before(until) {
			return
		}
		if err := c.call(); err != nil {
			// The connection may hold the rest of an answer: what came next could not be told apart.
			to.errors, to.first = to.errors+1, err
			return
		}
		to.made++
		if sent.After(measured) {
			to.took = append(to.took, time.Since(sent))
		}
	}
}

// next waits until a call is due and returns the time from which it counts.
func (p *plan) next(begun time.Time) time.Time {
	if p.rate == 0 {
		return time.Now()
	}
	number := p.due.Add(1) - 1
	due := begun.Add(time.Duration(float64(number) / p.rate * float64(time.Second)))
	time.Sleep(time.Until(due))
	return due
}

func (p *plan) sum(lanes []lane, spent time.Duration) result {
	r := result{Seconds: p.lasting.Seconds(), Tool: p.clients[0].tool}
	took := []time.Duration{}
	for _, one := range lanes {
		took = append(took, one.took...)
		r.Errors += one.errors
		r.AllRequests += one.made
		if one.first != nil && r.FirstError == "" {
			r.FirstError = one.first.Error()
		}
	}
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	r.Requests = len(took)
	if r.Requests == 0 {
		return r
	}
	r.PerSecond = float64(r.Requests) / r.Seconds
	r.P50, r.P90, r.P99 = at(took, 0.50), at(took, 0.90), at(took, 0.99)
	r.Max = at(took, 1)
	r.LoaderCPUus = spent.Seconds() * 1e6 / float64(r.AllRequests)
	return r
}

func (p *plan) close() {
	for _, one := range p.clients {
		one.connection.Close()
	}
}

func at(sorted []time.Duration, part float64) float64 {
	return float64(sorted[int(part*float64(len(sorted)-1))].Nanoseconds()) / 1e6
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}
