// A worker for tasks of the type "hello". Its producer: cmd/produce.
//
//	go run ./cmd/hello [host:port ...]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	pb "example.com/taskwire/gen/taskwire/v1"
	"example.com/taskwire/worker"
)

func hello(_ context.Context, task *pb.Task, _ *worker.Attempt) ([]byte, error) {
	var greeted struct{ Name string }
	if err := json.Unmarshal(task.GetPayload(), &greeted); err != nil {
		return nil, worker.DeadLetter(fmt.Errorf("the payload is not as it should be: %w", err))
	}
	if greeted.Name == "" {
		return nil, worker.DeadLetter(errors.New("the payload has no name"))
	}
	return json.Marshal(fmt.Sprintf("Hello, %s!", greeted.Name))
}

func main() {
	addresses := os.Args[1:]
	if len(addresses) == 0 {
		addresses = []string{"127.0.0.1:50051"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	w := &worker.Worker{
		Addresses:   addresses,
		Handlers:    map[string]worker.Handler{"hello": hello},
		Concurrency: 10,
		Shutdown:    10 * time.Second,
	}
	w.Run(ctx)
}
