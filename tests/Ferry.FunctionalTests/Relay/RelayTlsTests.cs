using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Relay;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Relay;

/// <summary>Legs in TLS: tickets, close_notify on both, and peers that are not of Ferry's making.</summary>
public sealed class RelayTlsTests
{
    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task A_sender_that_closes_without_having_read_its_tickets_has_sent_a_whole_file(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), readsTickets: false);
        string sent = await rig.Sender.SendFileAsync(50_000);
        await rig.Sender.FinishAsync();
        // With TLS 1.3 tickets unread its kernel sends RST; all of the file is here by then.
        rig.Sender.Dispose();

        RelayResult result = await rig.RunAsync();

        Assert.Equal((50_000, sent, StreamEnd.InOrder), await rig.Receiver.ReceiveFileAsync());
        Assert.Equal(rig.SenderClosed, result.End);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task That_is_so_when_nobody_is_known_as_the_sender(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, TransferDirection.Either, readsTickets: false);
        (FarEnd sender, FarEnd receiver) = upload ? (rig.Client, rig.Upstream) : (rig.Upstream, rig.Client);
        string sent = await sender.SendFileAsync(50_000);
        await sender.FinishAsync();
        sender.Dispose();

        Task<RelayResult> run = rig.RunAsync();
        Assert.Equal((50_000, sent, StreamEnd.InOrder), await receiver.ReceiveFileAsync());
        await receiver.FinishAsync();

        Assert.True((await run).IsComplete);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsReceivers), MemberType = typeof(RelayCases))]
    public async Task A_receiver_that_answers_late_gets_all_of_the_file(RelayKind kind, bool upload)
    {
        // Little of it is read before the relay has ended, and the receiver says something after that: a ticket, a close_notify. A closed connection would answer with RST.
        const int Size = 100_000;
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), 16 * 1024);
        rig.ReceiverLeg.Connection.SetSendBuffer(2 * Size);
        Task<RelayResult> run = rig.RunAsync();
        string sent = await rig.Sender.SendFileAsync(Size);
        await rig.Sender.FinishAsync();
        Assert.True((await run).IsComplete);

        await rig.Receiver.SendAsync(new byte[3000]);
        await rig.Receiver.FinishAsync();

        Assert.Equal((Size, sent, StreamEnd.InOrder), await rig.Receiver.ReceiveFileAsync());
        await Wait.Until(() => rig.Lingering.Count == 0, "the leg to be closed");
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsReceivers), MemberType = typeof(RelayCases))]
    public async Task A_cut_ends_the_wait_for_room_for_the_end(RelayKind kind, bool upload)
    {
        // The receiver takes nothing. Somewhere among these sizes is one where all of the file fits and its end does not.
        for (int size = 1_000; size <= 300_000; size += 10_000)
        {
            await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), 16 * 1024);
            Task<RelayResult> run = rig.RunAsync();
            Task sending = rig.Sender.SendSlowlyAsync(new byte[size]);
            Task finishing = sending.IsCompletedSuccessfully ? rig.Sender.FinishAsync() : Task.CompletedTask;

            rig.Relay.Cut();

            RelayResult result = await run;
            (long got, StreamEnd end) = await rig.Receiver.ReceiveRestAsync();
            if (result.IsComplete)
                Assert.Equal((size, StreamEnd.InOrder), (got, end));
            else
                Assert.NotEqual(StreamEnd.Truncated, end);
            // The cut may have refused either.
            await Task.WhenAll(sending, finishing).ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(RelayRig.Patience);
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls13, true)]
    public async Task NETs_own_TLS_on_both_far_ends_sees_nothing_odd(SslProtocols protocol, bool upload)
    {
        const int Size = (3 << 20) + 17;
        using TestCertificate certificate = TestCertificate.SelfSigned();
        await using var lingering = new LingeringLegs(TimeProvider.System);
        (FarEnd clientEnd, DataLeg clientLeg) = await RelayRig.ConnectAsync(0);
        (FarEnd upstreamEnd, DataLeg upstreamLeg) = await RelayRig.ConnectAsync(0);
        using (clientEnd)
        using (upstreamEnd)
        {
            await using var client = new SslStream(new NetworkStream(clientEnd.Socket));
            await using var upstream = new SslStream(new NetworkStream(upstreamEnd.Socket));
            TlsProtocols version = protocol == SslProtocols.Tls12 ? TlsProtocols.Tls12 : TlsProtocols.Tls13;
            TlsConnection toClient = TlsConnection.AcceptData(new TlsOrigin(RelayTls.Server(version), 7, []), clientLeg.Connection, tickets: 2);
            TlsConnection toUpstream = TlsConnection.Connect(RelayTls.Client, upstreamLeg.Connection, isData: true, TlsPeerName.Any, resume: null);
            Task<bool>[] shaken = [toClient.HandshakeAsync().AsTask(), toUpstream.HandshakeAsync().AsTask()];
            await Task.WhenAll(
                client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null }),
                upstream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate.Certificate, EnabledSslProtocols = protocol }),
                Task.WhenAll(shaken)).WaitAsync(RelayRig.Patience);
            Assert.All(shaken, task => Assert.True(task.Result));
            clientLeg.Secure(toClient);
            upstreamLeg.Secure(toUpstream);
            (SslStream sender, FarEnd senderEnd, SslStream receiver) = upload ? (client, clientEnd, upstream) : (upstream, upstreamEnd, client);

            Task<RelayResult> run = new DataRelay(clientLeg, upstreamLeg, RelayCases.Direction(upload), lingering).RunAsync();
            byte[] file = RandomNumberGenerator.GetBytes(Size);
            Task sending = SendAsync();
            byte[] got = new byte[Size];
            await receiver.ReadExactlyAsync(got).AsTask().WaitAsync(RelayRig.Patience);

            Assert.Equal(0, await receiver.ReadAsync(new byte[1]).AsTask().WaitAsync(RelayRig.Patience));
            Assert.Equal(file, got);
            await sending;
            Assert.True((await run.WaitAsync(RelayRig.Patience)).IsComplete);

            async Task SendAsync()
            {
                await sender.WriteAsync(file);
                await sender.ShutdownAsync();
                senderEnd.Truncate(); // the FIN behind it
                // Ferry's own close_notify, and no reset.
                Assert.Equal(0, await sender.ReadAsync(new byte[1]).AsTask().WaitAsync(RelayRig.Patience));
            }
        }
    }
}
