// What scenario.ts asks of each language, in Go, by the code of client/examples/go.
//
//	driver work <queue> <concurrency> <session timeout in s> <shutdown in s> <address>...
//	driver produce <address>
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "example.com/taskwire/gen/taskwire/v1"
	"example.com/taskwire/producer"
	"example.com/taskwire/worker"
)

var (
	letGo = make(chan struct{}) // closed when the handlers that wait may go on
	seen  sync.Map
)

func hold(ctx context.Context, task *pb.Task, _ *worker.Attempt) ([]byte, error) {
	fmt.Println("started", task.GetId())
	select {
	case <-letGo:
		fmt.Println("ending", task.GetId())
		return []byte("held"), nil
	case <-ctx.Done():
		fmt.Println("cancelled", task.GetId())
		return nil, context.Cause(ctx)
	}
}

func extend(_ context.Context, task *pb.Task, attempt *worker.Attempt) ([]byte, error) {
	attempt.Extend(30 * time.Second)
	fmt.Println("started", task.GetId())
	<-letGo
	return []byte("extended"), nil
}

func thirdTime(_ context.Context, _ *pb.Task, attempt *worker.Attempt) ([]byte, error) {
	switch attempt.Delivery.GetAttempt() {
	case 1:
		return nil, worker.Retry(errors.New("the first time"), 20*time.Millisecond)
	case 2:
		return nil, errors.New("the second time")
	}
	return []byte("the third time"), nil
}

func notNow(_ context.Context, task *pb.Task, attempt *worker.Attempt) ([]byte, error) {
	if _, again := seen.LoadOrStore(task.GetId(), true); !again {
		return nil, worker.Release(50 * time.Millisecond)
	}
	return []byte(strconv.Itoa(int(attempt.Delivery.GetAttempt()))), nil
}

// ends makes a handler that ends in the same way each time.
func ends(result []byte, err error) worker.Handler {
	return func(context.Context, *pb.Task, *worker.Attempt) ([]byte, error) { return result, err }
}

func work(queue, concurrency, sessionTimeout, shutdown string, addresses []string) {
	go func() {
		if bufio.NewScanner(os.Stdin).Scan() {
			close(letGo)
		}
	}()
	slots, _ := strconv.Atoi(concurrency)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	w := &worker.Worker{
		Addresses:      addresses,
		Queues:         []string{queue},
		Concurrency:    slots,
		SessionTimeout: seconds(sessionTimeout),
		Shutdown:       seconds(shutdown),
		Handlers: map[string]worker.Handler{
			"echo": func(_ context.Context, task *pb.Task, _ *worker.Attempt) ([]byte, error) {
				return task.GetPayload(), nil
			},
			"large":      ends(make([]byte, 900_000), nil),
			"too-large":  ends(make([]byte, 1_100_000), nil),
			"third-time": thirdTime,
			"bury":       ends(nil, worker.DeadLetter(errors.New("no good"))),
			"discard":    ends(nil, worker.Discard(errors.New("not worth it"))),
			"not-now":    notNow,
			"extend":     extend,
			"hold":       hold,
		},
	}
	w.Run(ctx)
	fmt.Println("left")
}

func seconds(text string) time.Duration {
	number, _ := strconv.ParseFloat(text, 64)
	return time.Duration(number * float64(time.Second))
}

type asked struct {
	Await      string
	How        string
	Type       string
	Queue      string
	Payloads   []string
	MaxRetries uint32
	TimeoutMs  int64
}

func produce(address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	client := pb.NewTaskServiceClient(conn)
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var request asked
		if err := in.Decode(&request); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		answer, err := follow(ctx, client, request)
		cancel()
		if err != nil {
			return err
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}

func follow(ctx context.Context, client pb.TaskServiceClient, request asked) (any, error) {
	if request.Await == "" {
		ids, err := enqueue(ctx, client, request)
		return map[string]any{"ids": ids}, err
	}
	answer, err := client.AwaitTask(ctx, &pb.AwaitTaskRequest{TaskId: request.Await})
	result := answer.GetStatus().GetLastResult()
	return map[string]any{
		"state":   strings.ToLower(strings.TrimPrefix(answer.GetStatus().GetState().String(), "TASK_STATE_")),
		"attempt": answer.GetStatus().GetAttempt(),
		"result":  hex.EncodeToString(result.GetResult()),
		"error":   result.GetErrorMessage(),
	}, err
}

func enqueue(ctx context.Context, client pb.TaskServiceClient, request asked) ([]string, error) {
	var tasks []*pb.EnqueueRequest
	for _, payload := range request.Payloads {
		bytes, err := hex.DecodeString(payload)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, &pb.EnqueueRequest{
			Type:       request.Type,
			Queue:      request.Queue,
			Body:       &pb.EnqueueRequest_Payload{Payload: bytes},
			MaxRetries: &request.MaxRetries,
			Retry:      &pb.RetryPolicy{Backoff: pb.RetryPolicy_BACKOFF_FIXED, Base: durationpb.New(20 * time.Millisecond)},
			Timeout:    durationpb.New(time.Duration(request.TimeoutMs) * time.Millisecond),
		})
	}
	answers, err := enqueueAll(ctx, client, request.How, tasks)
	var ids []string
	for _, answer := range answers {
		ids = append(ids, answer.GetTaskId())
	}
	return ids, err
}

func enqueueAll(ctx context.Context, client pb.TaskServiceClient, how string, tasks []*pb.EnqueueRequest) ([]*pb.EnqueueResponse, error) {
	switch how {
	case "one by one":
		var answers []*pb.EnqueueResponse
		for _, task := range tasks {
			answer, err := client.Enqueue(ctx, task)
			if err != nil {
				return nil, err
			}
			answers = append(answers, answer)
		}
		return answers, nil
	case "batch":
		answer, err := client.EnqueueBatch(ctx, &pb.EnqueueBatchRequest{Tasks: tasks})
		return answer.GetTasks(), err
	default:
		return producer.EnqueueStream(ctx, client, tasks)
	}
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stdout, nil)))
	switch args := os.Args[2:]; os.Args[1] {
	case "work":
		work(args[0], args[1], args[2], args[3], args[4:])
	case "produce":
		log.Fatal(produce(args[0]))
	}
}
