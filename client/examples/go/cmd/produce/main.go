// Enqueues tasks in each of the three ways, and waits for the end of one. Run a worker beside it: cmd/hello.
//
//	go run ./cmd/produce [host:port]
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "example.com/taskwire/gen/taskwire/v1"
	"example.com/taskwire/producer"
)

func greeting(name string) *pb.EnqueueRequest {
	payload, _ := json.Marshal(map[string]string{"name": name})
	return &pb.EnqueueRequest{
		Type:        "hello",
		Body:        &pb.EnqueueRequest_Payload{Payload: payload},
		ContentType: "application/json",
	}
}

func produce(ctx context.Context, client pb.TaskServiceClient) error {
	ada := greeting("Ada")
	ada.Priority = 1
	ada.Retry = &pb.RetryPolicy{
		Backoff: pb.RetryPolicy_BACKOFF_EXPONENTIAL,
		Base:    durationpb.New(500 * time.Millisecond),
		Jitter:  0.5,
	}
	one, err := client.Enqueue(ctx, ada)
	if err != nil {
		return err
	}
	fmt.Printf("one: %s, durability %s\n", one.GetTaskId(), one.GetDurability())

	batch, err := client.EnqueueBatch(ctx, &pb.EnqueueBatchRequest{
		Tasks: []*pb.EnqueueRequest{greeting("Grace"), greeting("Edsger")},
	})
	if err != nil {
		return err
	}
	fmt.Printf("batch: %d tasks\n", len(batch.GetTasks()))

	var guests []*pb.EnqueueRequest
	for number := range 2_000 {
		guests = append(guests, greeting(fmt.Sprintf("guest %d", number)))
	}
	many, err := producer.EnqueueStream(ctx, client, guests)
	if err != nil {
		return err
	}
	fmt.Printf("stream: %d tasks\n", len(many))

	_, err = client.Enqueue(ctx, &pb.EnqueueRequest{Type: "a type", Priority: 5_000_000})
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range bad.GetFieldViolations() {
				fmt.Printf("refused: %s %s\n", violation.GetField(), violation.GetDescription())
			}
		}
	}

	// The deadline of the call is how long to wait.
	ended, err := client.AwaitTask(ctx, &pb.AwaitTaskRequest{TaskId: one.GetTaskId()})
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", ended.GetStatus().GetState(), ended.GetStatus().GetLastResult().GetResult())
	return nil
}

func main() {
	address := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := produce(ctx, pb.NewTaskServiceClient(conn)); err != nil {
		log.Fatal(err)
	}
}
