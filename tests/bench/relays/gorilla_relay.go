// gorilla_relay [PORT]: a relay as it is usually written with Go's gorilla/websocket. PORT 0, or none: any free port.
//
// /client/{id} and /worker/{id} are a pair; what one sends is written to the other by the goroutine that has read it.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

type pair struct {
	client, worker *websocket.Conn
}

func (p *pair) side(role string) **websocket.Conn {
	if role == "client" {
		return &p.client
	}
	return &p.worker
}

func opposite(role string) string {
	if role == "client" {
		return "worker"
	}
	return "client"
}

var (
	upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	guard    sync.RWMutex
	pairs    = map[string]*pair{}
)

func enter(id, role string, socket *websocket.Conn) *pair {
	guard.Lock()
	defer guard.Unlock()
	p := pairs[id]
	if p == nil {
		p = &pair{}
		pairs[id] = p
	}
	*p.side(role) = socket
	return p
}

func peerOf(p *pair, role string) *websocket.Conn {
	guard.RLock()
	defer guard.RUnlock()
	return *p.side(opposite(role))
}

func leave(id string, p *pair, role string) {
	guard.Lock()
	peer := *p.side(opposite(role))
	*p.side(role) = nil
	if pairs[id] == p && peer == nil {
		delete(pairs, id)
	}
	guard.Unlock()
	if peer != nil {
		bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = peer.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
	}
}

func serve(answer http.ResponseWriter, request *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(request.URL.Path, "/"), "/", 2)
	if len(parts) != 2 || parts[1] == "" || (parts[0] != "client" && parts[0] != "worker") {
		http.NotFound(answer, request)
		return
	}
	role, id := parts[0], parts[1]
	socket, err := upgrader.Upgrade(answer, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	p := enter(id, role, socket)
	defer leave(id, p, role)
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		if peer := peerOf(p, role); peer != nil {
			if peer.WriteMessage(kind, message) != nil {
				return
			}
		}
	}
}

func main() {
	port := "0"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	fmt.Printf("listening %s\n", listener.Addr())
	panic(http.Serve(listener, http.HandlerFunc(serve)))
}
