package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// JSON-RPC ids keep their width, so that requests keep their length, and differ between connections, which may
// share a session.
const (
	idFirst = 1_000_000_000_000
	idStep  = 1_000_000_000
)

var dialled atomic.Int64

// client is one connection of one MCP client.
type client struct {
	connection net.Conn
	source     *reader
	target     *url.URL
	version    string // MCP-Protocol-Version
	session    string
	token      string // sent as a bearer token, unless empty
	tool       string
	id         int
	head       []byte // the request line and headers of a call, to be used again and again
	out        []byte
}

// dial connects and, where the revision has it and no session is given, shakes hands; then it looks for the tool,
// whose name a proxy may have given a prefix.
func dial(target *url.URL, version, session, token string) (*client, error) {
	connection, err := net.DialTimeout("tcp", target.Host, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := &client{connection: connection, source: newReader(connection), target: target}
	c.version, c.session, c.token = version, session, token
	c.id = idFirst + int(dialled.Add(1))*idStep
	if err := c.begin(); err != nil {
		connection.Close()
		return nil, err
	}
	c.head = c.headers("tools/call", len(c.body("tools/call")))
	return c, nil
}

func (c *client) begin() error {
	if err := c.connection.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	if c.version != stateless && c.session == "" {
		if err := c.initialize(); err != nil {
			return err
		}
	}
	listed, err := c.ask("tools/list")
	if err != nil {
		return err
	}
	return c.choose(listed)
}

func (c *client) initialize() error {
	body := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"` + c.version +
		`","capabilities":{},"clientInfo":{"name":"sluicegate-bench","version":"1"}}}`
	reply, status, err := c.exchange("initialize", body)
	if err != nil || status != 200 {
		return fmt.Errorf("initialize: status %d, %v, %s", status, err, text(reply))
	}
	c.session = reply.session
	reply, status, err = c.exchange("notifications/initialized",
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	if err != nil || status/100 != 2 {
		return fmt.Errorf("notifications/initialized: status %d, %v, %s", status, err, text(reply))
	}
	return nil
}

func (c *client) ask(method string) (*message, error) {
	reply, status, err := c.exchange(method, c.body(method))
	if err != nil || status != 200 {
		return nil, fmt.Errorf("%s: status %d, %v, %s", method, status, err, text(reply))
	}
	return reply, nil
}

func (c *client) choose(listed *message) error {
	var found struct {
		Result struct {
			Tools []struct {
				Name string `json:"name"`
			} `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal(jsonOf(listed), &found); err != nil {
		return fmt.Errorf("tools/list: %w in %s", err, text(listed))
	}
	for _, tool := range found.Result.Tools {
		if strings.HasSuffix(tool.Name, toolName) {
			c.tool = tool.Name
			return nil
		}
	}
	return fmt.Errorf("tools/list has no %s: %s", toolName, text(listed))
}

// call makes one tools/call and checks that the answer is the stub's answer to this very request.
func (c *client) call() error {
	body := c.body("tools/call")
	c.out = append(append(c.out[:0], c.head...), body...)
	if _, err := c.connection.Write(c.out); err != nil {
		return err
	}
	reply, status, err := c.source.response()
	if err != nil {
		return err
	}
	if status != 200 || !bytes.Contains(reply.body, []byte(answerHas)) {
		return fmt.Errorf("status %d, %s", status, text(reply))
	}
	if !bytes.Contains(reply.body, []byte(strconv.Itoa(c.id))) {
		return fmt.Errorf("not the answer to %d: %s", c.id, text(reply))
	}
	c.id++
	return nil
}

func (c *client) exchange(method, body string) (*message, int, error) {
	c.out = append(append(c.out[:0], c.headers(method, len(body))...), body...)
	if _, err := c.connection.Write(c.out); err != nil {
		return nil, 0, err
	}
	return c.source.response()
}

func (c *client) body(method string) string {
	params, meta := "", ""
	if c.version == stateless {
		meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + stateless + `",` +
			`"io.modelcontextprotocol/clientInfo":{"name":"sluicegate-bench","version":"1"},` +
			`"io.modelcontextprotocol/clientCapabilities":{}}`
	}
	if method == "tools/call" {
		params = `"name":"` + c.tool + `","arguments":{"namespace":"payments","selector":"app=checkout"}`
		if meta != "" {
			params += ","
		}
	}
	return `{"jsonrpc":"2.0","id":` + strconv.Itoa(c.id) + `,"method":"` + method + `","params":{` + params + meta + `}}`
}

func (c *client) headers(method string, length int) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"+
		"Accept: application/json, text/event-stream\r\nContent-Length: %d\r\n", c.target.RequestURI(), c.target.Host, length)
	if method != "initialize" {
		head += "MCP-Protocol-Version: " + c.version + "\r\n"
	}
	if c.token != "" {
		head += "Authorization: Bearer " + c.token + "\r\n"
	}
	if c.session != "" {
		head += "Mcp-Session-Id: " + c.session + "\r\n"
	}
	if c.version == stateless {
		head += "Mcp-Method: " + method + "\r\n"
	}
	if c.version == stateless && method == "tools/call" {
		head += "Mcp-Name: " + c.tool + "\r\n"
	}
	return []byte(head + "\r\n")
}

// jsonOf is the JSON of an answer, whether it came as a body or as the data of an event stream's last event.
func jsonOf(reply *message) []byte {
	if !strings.HasPrefix(reply.kind, "text/event-stream") {
		return reply.body
	}
	data := []byte{}
	for _, line := range bytes.Split(reply.body, []byte("\n")) {
		if value, found := bytes.CutPrefix(line, []byte("data:")); found && len(bytes.TrimSpace(value)) > 0 {
			data = value
		}
	}
	return data
}

func text(reply *message) string {
	if reply == nil {
		return "no answer"
	}
	if len(reply.body) > 300 {
		return string(reply.body[:300]) + "…"
	}
	return string(reply.body)
}
