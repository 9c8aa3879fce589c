using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Protocol;

namespace Ferry.Tests.Protocol;

/// <summary>Every command of a client's × every mode towards the server × what the server knows × both families on either side × TLS.</summary>
public sealed class DataModeTests
{
    private const string Clients = "PASV EPSV PORT EPRT";

    /// <summary>What the server is asked for each of the client's commands, in this order, as long as it knows none of it.</summary>
    public static TheoryData<string, string> Modes => new()
    {
        { "Client", "PASV EPSV, EPSV PASV, PORT EPRT PASV EPSV, EPRT PORT PASV EPSV" },
        { "Passive", "PASV EPSV, EPSV PASV, PASV EPSV, PASV EPSV" },
        { "Active", "PORT EPRT, PORT EPRT, PORT EPRT, EPRT PORT" },
        { "Pasv", "PASV, PASV, PASV, PASV" },
        { "Epsv", "EPSV, EPSV, EPSV, EPSV" },
        { "Port", "PORT, PORT, PORT, PORT" },
        { "Eprt", "EPRT, EPRT, EPRT, EPRT" },
    };

    [Theory]
    [MemberData(nameof(Modes))]
    public void Each_command_of_a_clients_becomes_what_the_server_knows(string mode, string candidates)
    {
        var clients = Clients.Split(' ');
        foreach (var client in clients)
        {
            var order = candidates.Split(", ")[Array.IndexOf(clients, client)].Split(' ');
            for (var known = 0; known < 16; known++)
            {
                string[] knows = [.. clients.Where((_, i) => (known & (1 << i)) != 0)];
                foreach (var refusal in new[] { 500, 501, 502, 504, 522, 550 })
                    Converse(new Pair(Enum.Parse<DataMode>(mode), client, false, false, false), order, knows, refusal);
                for (var n = 0; n < 8; n++)
                {
                    var pair = new Pair(Enum.Parse<DataMode>(mode), client, ClientIsIPv6: (n & 1) != 0, UpstreamIsIPv6: (n & 2) != 0, IsTls: (n & 4) != 0);
                    if (!pair.ClientIsIPv6 || client is "EPSV" or "EPRT")
                        Converse(pair, [.. order.Where(verb => !pair.UpstreamIsIPv6 || verb[0] == 'E')], knows, 502);
                }
            }
        }
    }

    [Fact]
    public void An_answer_that_stands_behind_a_set_up_stays_there_when_the_server_is_asked_again()
    {
        var wire = new ControlWire();
        Say(wire, "220 ready");
        Send(wire, "EPSV");
        Send(wire, new string('y', LineScanner.MaxLine + 1));
        Send(wire, "NOOP");
        Say(wire, "502 no");
        Assert.Equal("EPSV\r\nPASV\r\n", wire.ToServer);
        Say(wire, "227 (10,0,0,1,4,1)");
        Say(wire, "200 ok");
        Assert.Equal("220 ready\r\n229 Entering Extended Passive Mode (|||10001|)\r\n500 Command line too long.\r\n200 ok\r\n", wire.ToClient);
        Assert.Equal("EPSV\r\nPASV\r\nNOOP\r\n", wire.ToServer);
        Assert.Equal(0, wire.Engine.InFlight);
    }

    private sealed record Pair(DataMode Mode, string Client, bool ClientIsIPv6, bool UpstreamIsIPv6, bool IsTls)
    {
        public IPEndPoint Peer { get; } = new(ClientIsIPv6 ? IPAddress.Parse("2001:db8::9") : IPAddress.Parse("10.0.0.9"), 51201);

        public string Command => Client switch
        {
            "PORT" => "PORT 10,0,0,9,200,1",
            "EPRT" => $"EPRT |{(ClientIsIPv6 ? 2 : 1)}|{Peer.Address}|51201|",
            _ => Client,
        };

        public string Line(string verb) => verb switch
        {
            "PORT" => "PORT 127,0,0,1,78,32",
            "EPRT" => UpstreamIsIPv6 ? "EPRT |2|::1|20000|" : "EPRT |1|127.0.0.1|20000|",
            _ => verb,
        };
    }

    private static void Converse(Pair pair, string[] order, string[] knows, int refusal)
    {
        var wire = new ControlWire(
            pair.ClientIsIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork,
            pair.IsTls ? new TlsRules { UpstreamMode = UpstreamTlsMode.Explicit, Protection = UpstreamDataRule.Private } : null,
            new DataRules { Mode = pair.Mode, MayDial = pair.Peer.Equals });
        wire.Engine.UpstreamFamily = pair.UpstreamIsIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        if (pair.IsTls)
            wire.Engine.UpstreamTlsStarted();
        Say(wire, "220 ready");
        Send(wire, "USER a");
        Say(wire, "230 in");
        var what = $"{pair} and a server that knows {string.Join(' ', knows)} and says {refusal}";

        var found = order.FirstOrDefault(knows.Contains);
        string[] asked = [.. order.TakeWhile(verb => verb != found)];
        string[] first = [.. asked, .. found is null ? [] : new[] { found }];
        var protection = pair.IsTls ? "PBSZ 0|PROT P|" : "";
        Assert.Equal((what, protection + string.Concat(first.Select(verb => pair.Line(verb) + "|"))), (what, Ask(wire, pair, knows, refusal)));
        Assert.Equal((what, Answer(pair, first, found, refusal)), (what, Told(wire)));
        CheckChannel(wire, pair, what, found);

        // What it has refused is not asked again.
        Assert.Equal((what, found is null ? "" : pair.Line(found) + "|"), (what, Ask(wire, pair, knows, refusal)));
        Assert.Equal((what, Answer(pair, [], found, refusal)), (what, Told(wire)));
        CheckChannel(wire, pair, what, found);

        Send(wire, "RETR x");
        Assert.EndsWith("RETR x\r\n", wire.ToServer, StringComparison.Ordinal);
        Assert.Equal((what, found is null ? 0 : 1), (what, wire.Engine.LastTransfer));
        Say(wire, "550 no");
        Assert.Equal((what, 0), (what, wire.Engine.InFlight));
    }

    private static string Answer(Pair pair, string[] asked, string? found, int refusal)
    {
        var ports = pair.Client switch
        {
            "PASV" => "227 Entering Passive Mode (127,0,0,1,39,",
            "EPSV" => "229 Entering Extended Passive Mode (|||100",
            _ => $"200 {pair.Client} command successful.",
        };
        return found is not null ? ports
            : asked.Length == 0 ? "502 The server knows no data connection of this kind."
            : asked[^1] == pair.Client && refusal != 522 ? $"{refusal} no {pair.Line(pair.Client)}"
            : $"502 The server refuses a data connection ({refusal}).";
    }

    private static void CheckChannel(ControlWire wire, Pair pair, string what, string? found)
    {
        Assert.False(wire.Engine.IsSettingUp, what);
        Assert.Null(wire.Listener);
        Assert.Equal((what, found is not null), (what, wire.Channel is not null));
        if (wire.Channel is not { } channel)
            return;
        Assert.Equal((what, pair.Client[0] == 'P' && pair.Client != "PORT" || pair.Client == "EPSV" ? null : pair.Peer), (what, channel.Client));
        Assert.Equal((what, found is "PASV" or "EPSV"), (what, channel.Server is not null));
    }

    /// <summary>Sends the client's command and answers what the server gets.</summary>
    /// <returns>What the server got.</returns>
    private static string Ask(ControlWire wire, Pair pair, string[] knows, int refusal)
    {
        var read = wire.ToServer.Length;
        var asked = new StringBuilder();
        Send(wire, pair.Command);
        while (read < wire.ToServer.Length)
        {
            var line = wire.ToServer[read..wire.ToServer.IndexOf('\r', read)];
            read += line.Length + 2;
            asked.Append(line).Append('|');
            Say(wire, line[..4] switch
            {
                "PBSZ" or "PROT" => "200 ok",
                var verb when !knows.Contains(verb) => $"{refusal} no {line}",
                "PASV" => "227 (10,0,0,1,4,1)",
                "EPSV" => "229 (|||1025|)",
                _ => "200 ok",
            });
        }
        return asked.ToString();
    }

    private static string Told(ControlWire wire)
    {
        var last = wire.ToClient[..^2];
        last = last[(last.LastIndexOf('\n') + 1)..];
        return last.StartsWith("227", StringComparison.Ordinal) ? last[..^3] : last.StartsWith("229", StringComparison.Ordinal) ? last[..^4] : last;
    }

    private static void Send(ControlWire wire, string line) => wire.FromClient(Encoding.ASCII.GetBytes(line + "\r\n"));

    private static void Say(ControlWire wire, string line) => wire.FromServer(Encoding.ASCII.GetBytes(line + "\r\n"));
}
