// Prints what stands in the queues, once a second, until Ctrl-C.
//
//	go run ./cmd/watch-stats [host:port] [how many times]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "example.com/taskwire/gen/taskwire/v1"
)

func watch(ctx context.Context, client pb.StatsServiceClient, limit uint32) error {
	request := &pb.WatchStatsRequest{Interval: durationpb.New(time.Second), Limit: limit}
	stream, err := client.WatchStats(ctx, request)
	if err != nil {
		return err
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		stats := answer.GetStats()
		fmt.Printf("%s  workers: %d\n", stats.GetTime().AsTime().Format(time.RFC3339), stats.GetWorkers())
		for _, queue := range stats.GetQueues() {
			now := queue.GetCounters()
			fmt.Printf("  %-20s ready %d  active %d  completed %d  dead %d\n",
				queue.GetName(), now.GetReady(), now.GetActive(), now.GetCompleted(), now.GetDead())
		}
	}
}

func main() {
	address, limit := "127.0.0.1:50051", 0
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if len(os.Args) > 2 {
		limit, _ = strconv.Atoi(os.Args[2])
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := watch(ctx, pb.NewStatsServiceClient(conn), uint32(limit)); err != nil {
		log.Fatal(err)
	}
}
