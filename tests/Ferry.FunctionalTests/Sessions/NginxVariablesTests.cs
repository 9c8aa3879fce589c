using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Upstreams;
using Ferry.Sessions;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>map, split_clients and geo make of a text what a running NGINX makes of it.</summary>
public sealed class NginxVariablesTests
{
    private const string Blocks = """
        map $text $map {
            hostnames;
            default              none;
            10.1.2.3             exact;
            *.1.1                suffix;
            *.2.1.1              longer;
            10.20.*              prefix;
            10.20.3.*            further;
            ~^10\.3\d\.(?<x>\d+) r$x;
            ~^10\.4              four;
            ~*^10\.(5)           $1;
        }
        map $map:$text $chained { ~^none:(.*)$ "<$1>"; default [$map]; }
        split_clients $text $split { 0.5% a; 10% b; 33.33% c; 20% d; * e; }
        split_clients "x${text}y" $rest { 50% half; }
        geo $text $geo { default out; 10.0.0.0/8 wide; 10.1.0.0/16 narrow; 10.1.2.3 one; 10.1.2.0/25 quarter; }
        """;

    private static readonly string[] Names = ["map", "chained", "split", "rest", "geo"];

    [NginxFact]
    public async Task A_thousand_texts_come_to_the_same()
    {
        var port = FreePorts.One();
        await using var nginx = await NginxProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            {{Blocks.Replace("$text", "$proxy_protocol_addr", StringComparison.Ordinal).Replace("${text}", "${proxy_protocol_addr}", StringComparison.Ordinal)}}
            server { listen 127.0.0.1:{{port}} proxy_protocol; return "$map $chained $split $rest $geo"; }
            """));
        var config = TestProxy.Read($$"""
            stream {
                {{Blocks.Replace("$text", "$remote_addr", StringComparison.Ordinal).Replace("${text}", "${remote_addr}", StringComparison.Ordinal)}}
                server { listen 21; ftp_ctrl zone=a:1m proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass 192.0.2.1; }
            }
            """);
        var table = new VariableTable(config.Variables);
        foreach (var address in Addresses())
        {
            var scope = new VariableScope(table, name => name == "remote_addr" ? address : null);
            var ours = string.Join(' ', Names.Select(scope.ValueOf));
            Assert.Equal((address, await AskAsync(port, address)), (address, ours));
        }
    }

    private static IEnumerable<string> Addresses()
    {
        string[] chosen = ["10.1.2.3", "10.1.2.4", "10.1.2.200", "10.1.1.1", "10.2.1.1", "10.9.1.1", "10.20.1.1", "10.20.3.1", "10.20.9.9", "10.20.3.9", "10.31.7.1", "10.45.1.2", "10.5.6.7", "192.0.2.1"];
        var random = new Random(5);
        return chosen.Concat(Enumerable.Range(0, 1000).Select(_ => new IPAddress([10, (byte)random.Next(60), (byte)random.Next(4), (byte)random.Next(4)]).ToString()));
    }

    private static async Task<string> AskAsync(int port, string address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Wait.For(socket.ConnectAsync(IPAddress.Loopback, port), "a connection to nginx");
        await socket.SendAsync(Encoding.ASCII.GetBytes($"PROXY TCP4 {address} 127.0.0.1 1 2\r\n"));
        var answer = new StringBuilder();
        var buffer = new byte[1024];
        while (await Wait.For(socket.ReceiveAsync(buffer), "nginx's answer") is > 0 and var received)
            answer.Append(Encoding.ASCII.GetString(buffer, 0, received));
        return answer.ToString();
    }
}
