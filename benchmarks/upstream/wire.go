package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// bodyMax bounds one message in either direction, in bytes.
const bodyMax = 1 << 20

// message is one HTTP/1.1 message as read from a connection. Its slices live until the next read.
type message struct {
	start    string // the request line or the status line
	session  string // Mcp-Session-Id
	version  string // MCP-Protocol-Version
	kind     string // Content-Type
	closes   bool   // Connection: close
	length   int    // Content-Length, -1 when there is none
	chunked  bool
	body     []byte
	bodyless bool // by the rules of HTTP: 1xx, 204, 304
}

// reader reads HTTP/1.1 messages: the least of the protocol that a fair peer on loopback needs, and no allocation
// for the body, so that neither end of the measurement is what is measured.
type reader struct {
	source *bufio.Reader
	last   message
}

func newReader(source io.Reader) *reader {
	return &reader{source: bufio.NewReaderSize(source, 16<<10)}
}

// request reads one request. io.EOF means that the peer closed between two of them.
func (r *reader) request() (*message, error) {
	if err := r.head(); err != nil {
		return nil, err
	}
	if r.last.length < 0 {
		r.last.length = 0
	}
	return &r.last, r.readBody()
}

// response reads one response, passing over 1xx ones, and returns its status too.
func (r *reader) response() (*message, int, error) {
	for {
		if err := r.head(); err != nil {
			return nil, 0, err
		}
		if len(r.last.start) < 12 {
			return nil, 0, fmt.Errorf("not a status line: %q", r.last.start)
		}
		status, err := strconv.Atoi(r.last.start[9:12])
		if err != nil {
			return nil, 0, fmt.Errorf("not a status line: %q", r.last.start)
		}
		if status < 200 {
			continue
		}
		r.last.bodyless = status == 204 || status == 304
		return &r.last, status, r.readBody()
	}
}

func (r *reader) head() error {
	r.last = message{length: -1, body: r.last.body[:0]}
	line, err := r.line()
	if err != nil {
		return err
	}
	r.last.start = string(line)
	for {
		line, err = r.line()
		if err != nil {
			return unexpected(err)
		}
		if len(line) == 0 {
			return nil
		}
		if err := r.header(line); err != nil {
			return err
		}
	}
}

func (r *reader) header(line []byte) error {
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found {
		return fmt.Errorf("not a header: %q", line)
	}
	value = bytes.TrimSpace(value)
	switch {
	case is(name, "content-length"):
		length, err := strconv.Atoi(string(value))
		if err != nil || length < 0 || length > bodyMax {
			return fmt.Errorf("Content-Length %q", value)
		}
		r.last.length = length
	case is(name, "transfer-encoding"):
		r.last.chunked = bytes.EqualFold(value, []byte("chunked"))
	case is(name, "connection"):
		r.last.closes = bytes.EqualFold(value, []byte("close"))
	case is(name, "content-type"):
		r.last.kind = string(value)
	case is(name, "mcp-session-id"):
		r.last.session = string(value)
	case is(name, "mcp-protocol-version"):
		r.last.version = string(value)
	}
	return nil
}

func (r *reader) readBody() error {
	switch {
	case r.last.bodyless:
		return nil
	case r.last.chunked:
		return r.chunks()
	case r.last.length < 0:
		return errors.New("neither Content-Length nor chunked: the end of the body cannot be told")
	default:
		return r.add(r.last.length)
	}
}

func (r *reader) chunks() error {
	for {
		line, err := r.line()
		if err != nil {
			return unexpected(err)
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 31)
		if err != nil || len(r.last.body)+int(size) > bodyMax {
			return fmt.Errorf("chunk size %q", line)
		}
		if size > 0 {
			if err := r.add(int(size)); err != nil {
				return err
			}
		}
		// After a chunk comes its line end; after the last one the trailers, none of which are wanted.
		for {
			line, err = r.line()
			if err != nil {
				return unexpected(err)
			}
			if size > 0 || len(line) == 0 {
				break
			}
		}
		if size == 0 {
			return nil
		}
	}
}

func (r *reader) add(size int) error {
	before := len(r.last.body)
	if cap(r.last.body) < before+size {
		grown := make([]byte, before, 2*(before+size))
		copy(grown, r.last.body)
		r.last.body = grown
	}
	r.last.body = r.last.body[:before+size]
	_, err := io.ReadFull(r.source, r.last.body[before:])
	return unexpected(err)
}

func (r *reader) line() ([]byte, error) {
	line, err := r.source.ReadSlice('\n')
	if err != nil {
		if err == io.EOF && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func is(name []byte, lower string) bool {
	return len(name) == len(lower) && bytes.EqualFold(name, []byte(lower))
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
