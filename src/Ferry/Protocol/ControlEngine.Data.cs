using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Protocol;

/// <summary>
/// Data channels (RFC 959 §3.2, RFC 2428). Which way the server's side goes is chosen apart from the client's, and asked for before the client is told:
/// <code>
///   client: EPRT   (a port is opened)   Ferry: EPRT   server: 500   Ferry: PORT   server: 200   client is told 200
///   client: EPSV                        Ferry: EPSV   server: 500   Ferry: PASV   server: 227   (a port is lent)   client is told 229
///   client: PORT                        Ferry: PASV   server: 227   client is told 200, and both are connected to
/// </code>
/// </summary>
internal sealed partial class ControlEngine
{
    // RFC 2577 §3: mail and its like answer there.
    private const int FirstUserPort = 1024;

    private readonly DataRules _data;
    private bool _channelReady;

    /// <summary>The family of the server's address: of IPv6, PASV and PORT cannot speak.</summary>
    public AddressFamily UpstreamFamily { get; set; } = AddressFamily.InterNetwork;

    /// <summary>A channel is being set up: the port that OpenListener asked for is still of use.</summary>
    public bool IsSettingUp => _setUp is not null;

    /// <summary>The client has been told of the channel of the last OpenPassive or OpenActive: its next transfer command uses it.</summary>
    public void DataChannelOpened() => _channelReady = true;

    /// <summary>The channel has gone (its timer ran out): the next transfer command is the server's to answer.</summary>
    public void DataChannelClosed() => _channelReady = false;

    /// <summary>The port that OpenListener asked for is open.</summary>
    /// <param name="announced">Where the server is to connect to; of <see cref="UpstreamFamily"/>.</param>
    /// <returns>Rewrite; Answer or Queued, with which the port is of no use, where no command can name the address.</returns>
    public ControlDecision ListenerOpened(IPEndPoint announced)
    {
        var address = announced.Address.IsIPv4MappedToIPv6 ? announced.Address.MapToIPv4() : announced.Address;
        var setUp = _setUp! with { Announced = new IPEndPoint(address, announced.Port) };
        _setUp = null;
        return NextCommand(setUp) is { } command ? Ask(setUp, command) : Answer(502, NoSuchChannel);
    }

    /// <summary>The port that OpenListener asked for could not be opened.</summary>
    public ControlDecision ListenerRefused()
    {
        _setUp = null;
        return Answer(425, "No data ports are free; try again.");
    }

    private const string NoSuchChannel = "The server knows no data connection of this kind.";

    /// <summary>PASV, EPSV, PORT or EPRT.</summary>
    private ControlDecision OnSetUp(FtpVerb verb, ReadOnlySpan<byte> argument)
    {
        if (verb != FtpVerb.Epsv && _onlyEpsv)
            return Answer(501, "Only EPSV is allowed after EPSV ALL.");
        switch (verb)
        {
            case FtpVerb.Pasv when _clientIsIPv6:
                return Answer(425, "PASV cannot name an IPv6 address; use EPSV.");
            case FtpVerb.Epsv when Ascii.EqualsIgnoreCase(argument, "ALL"u8):
                return OnOnlyEpsv();
            // RFC 2428 §3: 522 names the protocols that work. The server's own family is no affair of the client's, so it is not told.
            case FtpVerb.Epsv when !argument.IsEmpty && !argument.SequenceEqual(_clientIsIPv6 ? "2"u8 : "1"u8):
                return Answer(522, $"Network protocol not supported, use ({OwnProtocol})");
            case FtpVerb.Port:
                return OnPort(argument);
            case FtpVerb.Eprt:
                return OnExtendedPort(argument);
            default:
                return Begin(new SetUp(verb, null), asItCame: argument.IsEmpty || verb == FtpVerb.Pasv);
        }
    }

    private int OwnProtocol => _clientIsIPv6 ? 2 : 1;

    // The server is told only where EPSV is what it will be asked; else it would refuse what it is asked.
    private ControlDecision OnOnlyEpsv()
    {
        if (NextCommand(new SetUp(FtpVerb.Epsv, null)) == FtpVerb.Epsv)
        {
            _pending.Add(new PendingCommand(FtpVerb.Other) { ForbidsOtherModes = true });
            return ControlDecision.Forward;
        }
        _onlyEpsv = true;
        return Answer(200, "EPSV ALL ok.");
    }

    private ControlDecision OnPort(ReadOnlySpan<byte> argument)
    {
        const string refusal = "Illegal PORT command."; // as vsftpd, which says so of a foreign address and to an IPv6 client as well
        if (!HostPort.TryParseArgument(argument, out var host, out var port))
            return Answer(500, refusal);
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, host);
        var peer = new IPEndPoint(new IPAddress(bytes), port);
        return IsAllowed(peer) && (!_clientIsIPv6 || _data.BothFamilies)
            ? Begin(new SetUp(FtpVerb.Port, peer))
            : Answer(500, refusal) with { RefusedPeer = peer };
    }

    private ControlDecision OnExtendedPort(ReadOnlySpan<byte> argument)
    {
        const string refusal = "Illegal EPRT command.";
        if (!ExtendedEndPoint.TryParseArgument(argument, out var named))
            return Answer(501, refusal);
        if (named.Protocol is not (1 or 2))
            return WrongProtocol();
        if (!named.TryGetAddress(out var address))
            return Answer(501, refusal);
        var isForeign = !_data.BothFamilies && (address.AddressFamily == AddressFamily.InterNetworkV6) != _clientIsIPv6;
        if (isForeign && named.Protocol != OwnProtocol)
            return WrongProtocol();
        if (address.IsIPv6LinkLocal)
            address.ScopeId = _data.ClientScopeId;
        var peer = new IPEndPoint(address, named.Port);
        return !isForeign && IsAllowed(peer) ? Begin(new SetUp(FtpVerb.Eprt, peer)) : Answer(501, refusal) with { RefusedPeer = peer };
    }

    // RFC 2428 §2
    private ControlDecision WrongProtocol() => Answer(522, $"Network protocol not supported, use ({(_data.BothFamilies ? "1,2" : OwnProtocol)})");

    private bool IsAllowed(IPEndPoint peer) => peer.Port >= FirstUserPort && IsHost(peer.Address) && _data.MayDial(peer);

    // Linux takes 0.0.0.0 and :: for itself.
    private static bool IsHost(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        ? !address.IsIPv6Multicast && !address.Equals(IPAddress.IPv6Any)
        : address.GetAddressBytes()[0] is > 0 and < 224;
}
