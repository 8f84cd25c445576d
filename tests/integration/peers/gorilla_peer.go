// A peer on Go's gorilla/websocket; see __init__.py. Where a fragment ends is up to its write buffer, which is small.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	writeBuffer = 512
	longestLine = 256 << 20
	deadline    = 20 * time.Second
)

type data struct {
	Text *string `json:"text,omitempty"`
	Hex  *string `json:"hex,omitempty"`
}

type operation struct {
	data
	Op       string
	ID       int
	URL      string
	Compress bool
	CA       *string
	Echo     bool
	Parts    []data
	Code     int
	Reason   string
}

var saying sync.Mutex

func say(event string, id int, fields map[string]any) {
	all := map[string]any{"event": event, "id": id}
	for name, value := range fields {
		all[name] = value
	}
	line, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	saying.Lock()
	defer saying.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

// The message's type and bytes.
func (d data) decode() (int, []byte, error) {
	if d.Hex == nil {
		return websocket.TextMessage, []byte(*d.Text), nil
	}
	bytes, err := hex.DecodeString(*d.Hex)
	return websocket.BinaryMessage, bytes, err
}

type connection struct {
	id     int
	socket *websocket.Conn
	// gorilla allows one writer of messages at a time.
	writing sync.Mutex
}

func (c *connection) open(o operation) error {
	dialer := websocket.Dialer{WriteBufferSize: writeBuffer, EnableCompression: o.Compress, HandshakeTimeout: deadline}
	if o.CA != nil {
		certificates, err := os.ReadFile(*o.CA)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(certificates)
		dialer.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	socket, response, err := dialer.Dial(o.URL, nil)
	if err != nil {
		return err
	}
	c.socket = socket
	socket.SetPongHandler(func(payload string) error {
		say("pong", c.id, map[string]any{"text": payload})
		return nil
	})
	agreed := response.Header.Get("Sec-WebSocket-Extensions")
	say("open", c.id, map[string]any{"compressed": strings.Contains(agreed, "permessage-deflate")})
	go c.read(o.Echo)
	return nil
}

func (c *connection) read(echo bool) {
	code, reason := websocket.CloseAbnormalClosure, ""
	for {
		kind, payload, err := c.socket.ReadMessage()
		if err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				code, reason = closed.Code, closed.Text
			}
			break
		}
		if kind == websocket.TextMessage {
			say("message", c.id, map[string]any{"text": string(payload)})
		} else {
			say("message", c.id, map[string]any{"hex": hex.EncodeToString(payload)})
		}
		if echo {
			// What came before a close is still to be reported when nothing can be sent any more.
			_ = c.write(kind, payload)
		}
	}
	c.socket.Close()
	say("close", c.id, map[string]any{"code": code, "reason": reason})
}

// Writes a message of these parts.
func (c *connection) write(kind int, parts ...[]byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	writer, err := c.socket.NextWriter(kind)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := writer.Write(part); err != nil {
			return err
		}
	}
	return writer.Close()
}

func (c *connection) send(all []data) error {
	kind, parts := 0, [][]byte{}
	for _, part := range all {
		k, bytes, err := part.decode()
		if err != nil {
			return err
		}
		kind, parts = k, append(parts, bytes)
	}
	return c.write(kind, parts...)
}

func (c *connection) do(o operation) error {
	until := time.Now().Add(deadline)
	switch o.Op {
	case "open":
		return c.open(o)
	case "send":
		return c.send([]data{o.data})
	case "fragments":
		return c.send(o.Parts)
	case "ping":
		return c.socket.WriteControl(websocket.PingMessage, []byte(*o.Text), until)
	case "close":
		return c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(o.Code, o.Reason), until)
	}
	return fmt.Errorf("no such operation: %s", o.Op)
}

func (c *connection) carryOut(operations <-chan operation) {
	for o := range operations {
		if err := c.do(o); err != nil {
			say("error", c.id, map[string]any{"message": err.Error()})
		}
	}
}

func main() {
	connections := map[int]chan operation{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	say("ready", 0, nil)
	for lines.Scan() {
		var o operation
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			panic(err)
		}
		if o.Op == "open" {
			// Room for all that a test sends at once, so that a slow connection doesn't hold up the others.
			connections[o.ID] = make(chan operation, 4096)
			go (&connection{id: o.ID}).carryOut(connections[o.ID])
		}
		connections[o.ID] <- o
	}
}
