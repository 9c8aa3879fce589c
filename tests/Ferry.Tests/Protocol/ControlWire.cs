using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Protocol;

namespace Ferry.Tests.Protocol;

/// <summary>
/// Two byte streams past a <see cref="ControlEngine"/> as a session does it, without sockets: what arrives goes in, what would be sent comes out.
/// <code>
///   client ──FromClient── scanner ── engine ──ToServer── server
///   server ──FromServer── scanner ── engine ──ToClient── client
/// </code>
/// </summary>
internal sealed partial class ControlWire
{
    private readonly List<byte> _fromClient = [];
    private readonly List<byte> _fromServer = [];
    private readonly StringBuilder _toClient = new();
    private readonly StringBuilder _toServer = new();
    private bool _skippingCommand;
    private bool _skippingReply;
    private int _ports = 10_000;

    public ControlWire(AddressFamily family = AddressFamily.InterNetwork, TlsRules? rules = null, DataRules? data = null, GreetingRules? greeting = null)
    {
        Engine = new ControlEngine(family, rules, data, greeting);
        if (Engine.IsAtFront)
            _toClient.Append(Text(Engine.Greeting));
    }

    public ControlEngine Engine { get; }

    /// <summary>Whether the next passive port can be lent; true when it is empty.</summary>
    public Queue<bool> Lends { get; init; } = [];

    /// <summary>Where the next port for the server is opened, null where it cannot be; one of loopback when it is empty.</summary>
    public Queue<IPEndPoint?> Listeners { get; init; } = [];

    /// <summary>The port for the server that waits for a set-up to end.</summary>
    public IPEndPoint? Listener { get; private set; }

    /// <summary>What the next transfer would use: the end points that Ferry connects to, null where it is connected to; null without a channel.</summary>
    public (IPEndPoint? Client, IPEndPoint? Server)? Channel { get; private set; }

    /// <summary>Whether the next data connection to the server can be made; true when it is empty.</summary>
    public Queue<bool> Connects { get; init; } = [];

    /// <summary>Whether the next transfer's data arrives; true when it is empty.</summary>
    public Queue<bool> Deliveries { get; init; } = [];

    /// <summary>Something stood behind an AUTH or a 234, so the session has ended.</summary>
    public bool Ended { get; private set; }

    /// <summary>A client's line waits to be shown again.</summary>
    public bool ClientWaits => _fromClient.Count > 0;

    /// <summary>What the client got; [TLS] and [clear] stand where its channel changed.</summary>
    public string ToClient => _toClient.ToString();

    /// <summary>What the server got, in the same way.</summary>
    public string ToServer => _toServer.ToString();

    /// <summary>Shown every decision with the line that it is about.</summary>
    public Action<ControlDecision, byte[]>? Decided { get; init; }

    public void FromClient(ReadOnlySpan<byte> bytes)
    {
        _fromClient.AddRange(bytes);
        Pump();
    }

    public void FromServer(ReadOnlySpan<byte> bytes)
    {
        _fromServer.AddRange(bytes);
        Pump();
    }

    private void Pump()
    {
        bool moved;
        if (Ended)
            return;
        do
        {
            moved = TakeReply();
            while (!Ended && TakeCommand())
                moved = true;
        }
        while (moved && !Ended);
    }

    private bool TakeCommand()
    {
        var status = LineScanner.TryRead([.. _fromClient], out var line, out var length);
        if (status == OperationStatus.NeedMoreData || IsAnsweredFirst)
            return false;
        if (_skippingCommand || status == OperationStatus.InvalidData)
        {
            if (!_skippingCommand)
            {
                if (Engine.InFlight >= ControlEngine.MaxInFlight)
                    return false;
                Do(Engine.Answer(500, "Command line too long."), "");
            }
            _skippingCommand = status != OperationStatus.Done;
            Drop(_fromClient, _skippingCommand ? Math.Min(_fromClient.Count, LineScanner.MaxLine) : length);
            return true;
        }
        var clean = new byte[line.Length];
        var command = clean.AsSpan(0, TelnetLine.Clean(line, clean));
        if (command.IsEmpty)
        {
            Drop(_fromClient, length);
            return true;
        }
        var decision = Engine.OnCommand(command);
        Decided?.Invoke(decision, command.ToArray());
        if (decision.Kind == DecisionKind.Insert)
            _toServer.Append(Text(decision.Bytes));
        if (decision.Kind is DecisionKind.Wait or DecisionKind.Insert)
            return false;
        if (decision.Kind == DecisionKind.OpenListener)
        {
            var announced = Listen();
            decision = announced is null ? Engine.ListenerRefused() : Engine.ListenerOpened(announced);
            Listener = Engine.IsSettingUp ? announced : null;
        }
        if (decision.Kind == DecisionKind.OpenTransfer)
            decision = Next(Connects) ? Engine.TransferOpened(decision.Verb) : Engine.TransferRefused("No data connection.");
        var text = Text(line);
        Drop(_fromClient, length);
        Do(decision, text);
        return true;
    }

    private void Do(ControlDecision decision, string line)
    {
        switch (decision.Kind)
        {
            case DecisionKind.Forward:
                _toServer.Append(line).Append("\r\n");
                break;
            case DecisionKind.Rewrite:
                _toServer.Append(Text(decision.Bytes));
                break;
            case DecisionKind.Answer:
                _toClient.Append(Text(decision.Bytes));
                break;
            case DecisionKind.Queued:
                break;
            case DecisionKind.StartClientTls:
                Ended = _fromClient.Count > 0;
                if (Ended)
                    break;
                _toClient.Append(Text(decision.Bytes)).Append("[TLS]");
                Engine.ClientTlsStarted();
                break;
            case DecisionKind.StopClientTls:
                _toClient.Append(Text(decision.Bytes)).Append("[clear]");
                Engine.ClientTlsStopped();
                break;
            case DecisionKind.Route or DecisionKind.LookUp or DecisionKind.LogIn or DecisionKind.Deny or DecisionKind.Farewell or DecisionKind.Release:
                DoAtFront(decision, line);
                break;
            default:
                throw new InvalidOperationException($"A command cannot be decided on as {decision.Kind}.");
        }
    }

    private bool TakeReply()
    {
        byte[] buffered = [.. _fromServer.Count > LineScanner.MaxLine ? _fromServer.GetRange(0, LineScanner.MaxLine) : _fromServer];
        var status = LineScanner.TryRead(buffered, out var line, out var length);
        if (status == OperationStatus.NeedMoreData)
            return false;
        var truncated = status == OperationStatus.InvalidData;
        if (truncated)
        {
            line = buffered.AsSpan(0, LineScanner.MaxLine - 2);
            length = buffered.Length;
        }
        var skipped = _skippingReply;
        _skippingReply = truncated;
        Drop(_fromServer, length);
        if (skipped)
            return true;
        var decision = Engine.OnReply(line, truncated);
        Decided?.Invoke(decision, line.ToArray());
        switch (decision.Kind)
        {
            case DecisionKind.Forward or DecisionKind.StartTransfer:
                _toClient.Append(Text(line)).Append("\r\n");
                break;
            case DecisionKind.FinishTransfer:
                var delivered = Next(Deliveries);
                Engine.TransferFinished(!delivered);
                _toClient.Append(delivered ? Text(line) : "426 Cut.").Append("\r\n");
                break;
            case DecisionKind.OpenPassive:
                Channel = null;
                _toClient.Append(Text(OpenPassive(decision)));
                break;
            case DecisionKind.OpenActive:
                Channel = (decision.Client, ServerOf(decision));
                Engine.DataChannelOpened();
                _toClient.Append(Text(decision.Bytes));
                break;
            case DecisionKind.Retry:
                _toServer.Append(Text(decision.Bytes));
                break;
            case DecisionKind.RefuseSetUp or DecisionKind.Rewrite:
                _toClient.Append(Text(decision.Bytes));
                break;
            case DecisionKind.NextServer:
                GoToNextServer();
                break;
            case DecisionKind.Swallow:
                break;
            case DecisionKind.StartUpstreamTls:
                Ended = _fromServer.Count > 0;
                if (Ended)
                    break;
                _toServer.Append("[TLS]");
                Engine.UpstreamTlsStarted();
                break;
            case DecisionKind.StopUpstreamTls:
                _toServer.Append("[clear]");
                Engine.UpstreamTlsStopped();
                break;
            default:
                throw new InvalidOperationException($"A reply cannot be decided on as {decision.Kind}.");
        }
        if (Engine.WantsPassword)
            SendPassword();
        if (!Engine.IsSettingUp)
            Listener = null;
        while (Engine.TakeAnswer() is { } answer)
            _toClient.Append(Text(answer));
        return true;
    }

    private byte[] OpenPassive(ControlDecision decision)
    {
        if (!Next(Lends))
            return ReplyWriter.Line(425, "No data ports are free; try again.");
        Channel = (null, ServerOf(decision));
        Engine.DataChannelOpened();
        _ports++;
        return decision.Verb == FtpVerb.Epsv ? ReplyWriter.ExtendedPassive(_ports) : ReplyWriter.Passive(IPAddress.Loopback, _ports);
    }

    // A channel is of use only with the server's own port or the one that was opened for it. That one may be left over from a PORT before a PASV.
    private IPEndPoint? ServerOf(ControlDecision decision)
    {
        if (decision.UpstreamIsActive ? Listener is null || decision.Port != 0 : decision.Port == 0)
            throw new InvalidOperationException($"A channel with {Listener} open for the server cannot have {decision}.");
        return decision.UpstreamIsActive ? null : new IPEndPoint(IPAddress.Any, decision.Port);
    }

    private IPEndPoint? Listen() => Listeners.TryDequeue(out var listener) ? listener
        : new IPEndPoint(Engine.UpstreamFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, 20_000);

    private static bool Next(Queue<bool> outcomes) => !outcomes.TryDequeue(out var outcome) || outcome;

    private static void Drop(List<byte> bytes, int count) => bytes.RemoveRange(0, count);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
