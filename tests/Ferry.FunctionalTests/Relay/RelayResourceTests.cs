using System.Buffers;
using System.IO;
using System.Linq;
using Ferry.FunctionalTests.Harness;
using Ferry.Relay;

namespace Ferry.FunctionalTests.Relay;

/// <summary>Counts the files of the process, and so runs alone.</summary>
[CollectionDefinition(nameof(RelayResourceTests), DisableParallelization = true)]
[Collection(nameof(RelayResourceTests))]
public sealed class RelayResourceTests
{
    [Theory]
    [MemberData(nameof(RelayCases.Relays), MemberType = typeof(RelayCases))]
    public async Task A_thousand_transfers_leave_no_file_open(RelayKind kind)
    {
        await TransferAsync(kind, 0);
        (int sockets, int pipes) = CountFiles();

        for (int i = 0; i < 50; i++)
            await Task.WhenAll(Enumerable.Range(0, 20).Select(at => TransferAsync(kind, at)));

        (int socketsAfter, int pipesAfter) = CountFiles();
        Assert.Equal(sockets, socketsAfter);
        // The pool may have filled meanwhile: 32 pipes, two ends each.
        Assert.True(pipesAfter - pipes <= 64, $"{pipes} ends of pipes before, {pipesAfter} after");
    }

    [Fact]
    public async Task A_transfer_that_waits_for_its_sender_holds_no_pipe()
    {
        int opened = 0;
        var pipes = new PipePool(() =>
        {
            Interlocked.Increment(ref opened);
            return SplicePipe.TryOpen();
        });
        var relay = new SpliceRelay(pipes);
        var rigs = new List<RelayRig>();
        try
        {
            for (int i = 0; i < 20; i++)
            {
                RelayRig rig = await RelayRig.OpenAsync(RelayKind.Splice, TransferDirection.Either, relay: relay);
                rigs.Add(rig);
                Task<RelayResult> run = rig.RunAsync();
                await rig.Upstream.SendAsync(new byte[1000]);
                await rig.Client.ReceiveExactlyAsync(1000);
                // The pump rests before the next one starts: a byte the other way proves nothing about it, but a second one this way does.
                await rig.Upstream.SendAsync(new byte[1000]);
                await rig.Client.ReceiveExactlyAsync(1000);
            }
            // One transfer may still be on its way to rest while the next one asks.
            Assert.InRange(opened, 1, 4);
        }
        finally
        {
            foreach (RelayRig rig in rigs)
                await rig.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_transfer_that_waits_for_its_sender_holds_no_buffer(RelayKind kind, bool upload)
    {
        var buffers = new CountedBuffers();
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), relay: new StreamRelay(buffers));
        Task<RelayResult> run = rig.RunAsync();
        for (int i = 0; i < 20; i++)
        {
            await rig.Sender.SendAsync(new byte[1000]);
            await rig.Receiver.ReceiveExactlyAsync(1000);
        }

        await Wait.Until(() => buffers.Lent == 0, () => $"{buffers.Lent} buffers to be given back");

        await rig.Sender.FinishAsync();
        Assert.True((await run).IsComplete);
        Assert.Equal(0, buffers.Lent);
        Assert.InRange(buffers.MostLent, 1, 2);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task A_transfer_that_waits_for_the_rest_of_a_record_holds_no_buffer(RelayKind kind, bool upload)
    {
        var buffers = new CountedBuffers();
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), relay: new StreamRelay(buffers));
        _ = rig.RunAsync();
        await Wait.Until(() => buffers.Lent == 0, "the first look at the connections to be over");
        int before = buffers.Rents;

        await rig.Sender.Socket.SendAsync((byte[])[23, 3, 3, 0x40, 0, 1, 2, 3]);

        await Wait.Until(() => buffers.Rents > before && buffers.Lent == 0, () => $"{buffers.Lent} buffers to be given back");
    }

    [Fact]
    public async Task A_pipe_with_bytes_in_it_is_not_used_again()
    {
        await using RelayRig rig = await RelayRig.OpenAsync(RelayKind.Splice, TransferDirection.Download);
        var pipes = new PipePool(SplicePipe.TryOpen);
        SplicePipe pipe = pipes.TryRent()!;
        pipes.Return(pipe);
        Assert.Same(pipe, pipes.TryRent());

        await rig.Upstream.SendAsync(new byte[100]);
        await rig.UpstreamLeg.WaitReadableAsync().AsTask().WaitAsync(RelayRig.Patience);
        Assert.Equal(100, pipe.Fill(rig.UpstreamLeg.Connection.Handle));
        pipes.Return(pipe);

        using SplicePipe next = pipes.TryRent()!;
        Assert.NotSame(pipe, next);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task Two_hundred_transfers_run_at_a_time(RelayKind kind, bool upload)
    {
        const int Size = 300_000;
        var rigs = new List<RelayRig>();
        try
        {
            for (int i = 0; i < 200; i++)
                rigs.Add(await RelayRig.OpenAsync(kind, RelayCases.Direction(upload)));
            Task<RelayResult>[] runs = [.. rigs.Select(rig => rig.RunAsync())];
            Task<(long, string, StreamEnd)>[] received = [.. rigs.Select(rig => rig.Receiver.ReceiveFileAsync())];
            string[] sent = await Task.WhenAll(rigs.Select(async rig =>
            {
                string hash = await rig.Sender.SendFileAsync(Size);
                await rig.Sender.FinishAsync();
                return hash;
            }));

            (long, string, StreamEnd)[] files = await Task.WhenAll(received);
            Assert.Equal(sent.Select(hash => ((long)Size, hash, StreamEnd.InOrder)), files);
            Assert.All(await Task.WhenAll(runs), result => Assert.True(result.IsComplete));
        }
        finally
        {
            foreach (RelayRig rig in rigs)
                await rig.DisposeAsync();
        }
    }

    private sealed class CountedBuffers : ArrayPool<byte>
    {
        private int _rents;
        private int _lent;
        private int _mostLent;

        public int Rents => Volatile.Read(ref _rents);

        public int Lent => Volatile.Read(ref _lent);

        public int MostLent => Volatile.Read(ref _mostLent);

        public override byte[] Rent(int minimumLength)
        {
            int lent = Interlocked.Increment(ref _lent);
            InterlockedMax(ref _mostLent, lent);
            Interlocked.Increment(ref _rents);
            return new byte[minimumLength];
        }

        public override void Return(byte[] array, bool clearArray = false) => Interlocked.Decrement(ref _lent);

        private static void InterlockedMax(ref int target, int value)
        {
            int seen;
            while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
            {
            }
        }
    }

    private static async Task TransferAsync(RelayKind kind, int at)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(at % 2 == 1));
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.SendAsync(new byte[2000]);
        // Ends of every kind: in order, by the sender's reset, by a cut.
        switch (at % 3)
        {
            case 0:
                await rig.Sender.FinishAsync();
                break;
            case 1:
                rig.Sender.Abort();
                break;
            default:
                rig.Relay.Cut();
                break;
        }
        await run;
    }

    private static (int Sockets, int Pipes) CountFiles()
    {
        int sockets = 0, pipes = 0;
        foreach (string file in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            string? target = null;
            try
            {
                target = new FileInfo(file).LinkTarget;
            }
            catch (IOException)
            {
                // The listing's own descriptor is gone by now.
            }
            if (target?.StartsWith("socket:", StringComparison.Ordinal) == true)
                sockets++;
            else if (target?.StartsWith("pipe:", StringComparison.Ordinal) == true)
                pipes++;
        }
        return (sockets, pipes);
    }
}
