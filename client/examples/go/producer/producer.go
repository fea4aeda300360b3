// Package producer adds tasks to a Taskwire broker over a stream. One task, or one batch, is a plain call of the generated
// client: cmd/produce shows it.
package producer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "example.com/taskwire/gen/taskwire/v1"
)

const (
	batchSize     = 500 // at most 1,000
	maxUnanswered = 64  // so many requests of one producer the broker recognises when they come again
	maxBreaks     = 10
)

// EnqueueStream adds any number of tasks, and answers in their order. When the stream breaks, what was not answered is sent
// again, and nothing is added twice.
func EnqueueStream(ctx context.Context, client pb.TaskServiceClient, tasks []*pb.EnqueueRequest) ([]*pb.EnqueueResponse, error) {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // It never fails.
	todo := map[uint64]*pb.EnqueueStreamRequest{}
	answers := map[uint64][]*pb.EnqueueResponse{}
	last := uint64(0)
	for batch := range slices.Chunk(tasks, batchSize) {
		last++
		todo[last] = &pb.EnqueueStreamRequest{Sequence: last, Tasks: batch, ProducerId: id}
	}
	for tried := 1; len(todo) > 0; tried++ {
		err := sendAll(ctx, client, todo, answers)
		if err != nil && (status.Code(err) != codes.Unavailable || tried == maxBreaks) {
			return nil, err
		}
	}
	var all []*pb.EnqueueResponse
	for sequence := range last {
		all = append(all, answers[sequence+1]...)
	}
	return all, nil
}

// sendAll has one stream's try at what is to do, and moves what is answered to answers.
func sendAll(ctx context.Context, client pb.TaskServiceClient, todo map[uint64]*pb.EnqueueStreamRequest, answers map[uint64][]*pb.EnqueueResponse) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.EnqueueStream(ctx, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	var requests []*pb.EnqueueStreamRequest
	for _, request := range todo {
		requests = append(requests, request)
	}
	slices.SortFunc(requests, func(a, b *pb.EnqueueStreamRequest) int { return int(a.Sequence) - int(b.Sequence) })
	room := make(chan struct{}, maxUnanswered)
	go func() {
		for _, request := range requests {
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			if stream.Send(request) != nil {
				return // The reader hears why.
			}
		}
		stream.CloseSend()
	}()
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		<-room
		if refused := answer.GetError(); refused != nil {
			return fmt.Errorf("batch %d was refused: %s", answer.GetSequence(), refused.GetMessage())
		}
		answers[answer.GetSequence()] = answer.GetAccepted().GetTasks()
		delete(todo, answer.GetSequence())
	}
}
