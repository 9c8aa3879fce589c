using System.Net.Sockets;
using Ferry.Relay;

namespace Ferry.FunctionalTests.Relay;

public sealed class RelayCopyTests
{
    public static TheoryData<RelayKind, bool, long> Sizes
    {
        get
        {
            var cases = new TheoryData<RelayKind, bool, long>();
            foreach (RelayKind kind in Enum.GetValues<RelayKind>())
            {
                foreach (long size in (long[])[0, 1, (64 << 20) + 1])
                {
                    cases.Add(kind, false, size);
                    cases.Add(kind, true, size);
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Every_byte_arrives_and_nothing_else(RelayKind kind, bool upload, long size)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        Task<(long Size, string Hash, StreamEnd End)> received = rig.Receiver.ReceiveFileAsync();

        string sent = await rig.Sender.SendFileAsync(size);
        await rig.Sender.FinishAsync();

        Assert.Equal((size, sent, StreamEnd.InOrder), await received);
        RelayResult result = await run;
        Assert.Equal(new RelayResult(rig.SenderClosed, upload ? 0 : size, upload ? size : 0), result);
        Assert.True(result.IsComplete);
        Assert.Equal(size, rig.Moved);
    }

    [Theory]
    [MemberData(nameof(RelayCases.Relays), MemberType = typeof(RelayCases))]
    public async Task Both_directions_run_at_once(RelayKind kind)
    {
        const long Size = 8 << 20;
        await using RelayRig rig = await RelayRig.OpenAsync(kind, TransferDirection.Either);
        Task<RelayResult> run = rig.RunAsync();

        Task<(long, string, StreamEnd)> atClient = rig.Client.ReceiveFileAsync();
        Task<(long, string, StreamEnd)> atUpstream = rig.Upstream.ReceiveFileAsync();
        string[] sent = await Task.WhenAll(rig.Client.SendFileAsync(Size), rig.Upstream.SendFileAsync(Size));
        await rig.Client.FinishAsync();
        Assert.Equal((Size, sent[0], StreamEnd.InOrder), await atUpstream);
        await rig.Upstream.FinishAsync();
        Assert.Equal((Size, sent[1], StreamEnd.InOrder), await atClient);

        Assert.Equal(new RelayResult(RelayEnd.ClientClosed, Size, Size), await run);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_slow_sender_waits_for_nobody(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        // Each byte arrives before the next is sent: nothing is held back to gather more.
        for (int i = 0; i < 200; i++)
        {
            await rig.Sender.SendAsync(new byte[1]);
            await rig.Receiver.ReceiveExactlyAsync(1);
        }
        await rig.Sender.FinishAsync();

        Assert.True((await run).IsComplete);
        Assert.Equal(200, rig.Moved);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task Urgent_bytes_do_not_stop_the_rest(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        await rig.Sender.SendAsync(new byte[100]);
        await rig.Sender.Socket.SendAsync(new byte[1], SocketFlags.OutOfBand);
        await rig.Sender.SendAsync(new byte[200]);

        Task<RelayResult> run = Task.Run(rig.RunAsync);
        await rig.Receiver.ReceiveExactlyAsync(300);
        await rig.Sender.FinishAsync();

        Assert.True((await run).IsComplete);
        Assert.Equal(300, rig.Moved);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_slow_receiver_slows_the_sender_and_fills_no_memory(RelayKind kind, bool upload)
    {
        // One pipe or buffer, one piece on its way out of it, and the buffers of four sockets, which the kernel doubles.
        const int BufferSize = 64 * 1024;
        const int MostUnderway = (1 << 20) + (64 * 1024) + (8 * 2 * BufferSize);
        const int Size = 16 << 20;
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), BufferSize);
        Task<RelayResult> run = rig.RunAsync();

        byte[] chunk = new byte[128 * 1024], buffer = new byte[8 * 1024];
        Task sending = Task.CompletedTask;
        int sent = 0, received = 0, mostUnderway = 0;
        while (received < Size)
        {
            Task<(int Count, StreamEnd)> receiving = rig.Receiver.ReceiveAsync(buffer);
            do
            {
                // Of the last one only a part is underway, so this is an upper bound.
                while (sent < Size && sending.IsCompleted)
                {
                    await sending;
                    sending = rig.Sender.SendSlowlyAsync(chunk);
                    sent += chunk.Length;
                }
                mostUnderway = Math.Max(mostUnderway, sent - received);
                await (sent < Size ? Task.WhenAny(receiving, sending) : (Task)receiving);
            }
            while (!receiving.IsCompleted);
            int got = (await receiving).Count;
            Assert.NotEqual(0, got);
            received += got;
        }
        await sending;
        await rig.Sender.FinishAsync();

        Assert.True((await run).IsComplete);
        Assert.InRange(mostUnderway, 1, MostUnderway);
        Assert.Equal(Size, rig.Moved);
    }
}
