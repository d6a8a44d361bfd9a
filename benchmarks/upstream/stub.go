package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

const stateless = "2026-07-28" // the first revision without sessions

// The one tool and its answer: about 300 bytes, such as a cluster would give.
const (
	toolName  = "list_pods"
	answerHas = "checkout-7c9d5b6f4-x2x9q"
	tools     = `{"tools":[{"name":"list_pods","description":"Pods of a namespace","inputSchema":{"type":"object",` +
		`"properties":{"namespace":{"type":"string"},"selector":{"type":"string"}},"required":["namespace"]},` +
		`"annotations":{"readOnlyHint":true}}]`
	called = `{"content":[{"type":"text","text":"NAME                       READY  STATUS   RESTARTS  AGE\n` +
		`checkout-7c9d5b6f4-x2x9q   1/1    Running  0         2d4h\ncheckout-7c9d5b6f4-zk8lp   1/1    Running  0` +
		`         2d4h\ncheckout-canary-5f6c-mm2hd  1/1    Running  1         6h31m"}],"isError":false`
)

type call struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Version string `json:"protocolVersion"`
	} `json:"params"`
}

type stub struct {
	sse      bool // tools/call answers with a stream of one event
	sessions atomic.Int64
}

// runStub serves MCP over Streamable HTTP on a loopback port, which it says on stdout, until it is killed.
func runStub(arguments []string) error {
	flags := flag.NewFlagSet("stub", flag.ExitOnError)
	port := flags.Int("port", 0, "loopback port, 0 for any")
	sse := flags.Bool("sse", false, "answer tools/call as text/event-stream")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
	if err != nil {
		return err
	}
	fmt.Printf("listening on %d\n", listener.Addr().(*net.TCPAddr).Port)
	server := &stub{sse: *sse}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go server.serve(connection)
	}
}

func (s *stub) serve(connection net.Conn) {
	defer connection.Close()
	source := newReader(connection)
	answer := make([]byte, 0, 2<<10)
	for {
		request, err := source.request()
		if err != nil {
			if err != io.EOF && !strings.Contains(err.Error(), "reset by peer") {
				fmt.Fprintln(os.Stderr, "stub:", err)
			}
			return
		}
		answer = s.answer(answer[:0], request)
		if _, err := connection.Write(answer); err != nil || request.closes {
			return
		}
	}
}

func (s *stub) answer(to []byte, request *message) []byte {
	method, _, _ := strings.Cut(request.start, " ")
	switch method {
	case "POST":
		return s.post(to, request)
	case "DELETE":
		return respond(to, "200 OK", "", "", nil)
	default:
		return respond(to, "405 Method Not Allowed", "Allow: POST, DELETE\r\n", "", nil)
	}
}

func (s *stub) post(to []byte, request *message) []byte {
	var asked call
	if err := json.Unmarshal(request.body, &asked); err != nil {
		return respond(to, "400 Bad Request", "", "text/plain", []byte(err.Error()))
	}
	if len(asked.ID) == 0 {
		return respond(to, "202 Accepted", "", "", nil)
	}
	result, headers := s.result(&asked, request.version)
	body := make([]byte, 0, 1<<10)
	body = append(append(append(body, `{"jsonrpc":"2.0","id":`...), asked.ID...), ',')
	body = append(append(body, result...), '}')
	if s.sse && asked.Method == "tools/call" {
		event := append(append([]byte("event: message\nid: 1\ndata: "), body...), "\n\n"...)
		return respondStream(to, event)
	}
	return respond(to, "200 OK", headers, "application/json", body)
}

// result is the member `result` or `error` of the answer, and headers that go with it.
func (s *stub) result(asked *call, version string) (string, string) {
	const capabilities = `"capabilities":{"tools":{}},"serverInfo":{"name":"stub","version":"1"}`
	switch asked.Method {
	case "initialize":
		session := fmt.Sprintf("Mcp-Session-Id: stub-%d\r\n", s.sessions.Add(1))
		chosen := asked.Params.Version
		if chosen == "" || chosen == stateless {
			chosen = "2025-11-25"
		}
		return `"result":{"protocolVersion":"` + chosen + `",` + capabilities + `}`, session
	case "server/discover":
		return `"result":{"supportedVersions":["2025-11-25","` + stateless + `"],` + capabilities +
			`,"resultType":"complete","ttlMs":60000,"cacheScope":"public"}`, ""
	case "tools/list":
		return complete(tools, version, `,"ttlMs":60000,"cacheScope":"public"`), ""
	case "tools/call":
		return complete(called, version, ""), ""
	case "ping":
		return `"result":{}`, ""
	default:
		return `"error":{"code":-32601,"message":"Method not found"}`, ""
	}
}

// complete closes a result, with what the stateless revision wants in it.
func complete(open, version, more string) string {
	if version == stateless {
		return `"result":` + open + `,"resultType":"complete"` + more + `}`
	}
	return `"result":` + open + `}`
}

func respond(to []byte, status, headers, kind string, body []byte) []byte {
	to = append(append(append(to, "HTTP/1.1 "...), status...), "\r\n"...)
	to = append(to, headers...)
	if kind != "" {
		to = append(append(append(to, "Content-Type: "...), kind...), "\r\n"...)
	}
	to = strconv.AppendInt(append(to, "Content-Length: "...), int64(len(body)), 10)
	return append(append(to, "\r\n\r\n"...), body...)
}

func respondStream(to []byte, event []byte) []byte {
	to = append(to, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"...)
	to = append(to, "Transfer-Encoding: chunked\r\n\r\n"...)
	to = append(strconv.AppendInt(to, int64(len(event)), 16), "\r\n"...)
	return append(append(to, event...), "\r\n0\r\n\r\n"...)
}
