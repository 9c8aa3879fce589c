using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Net;
using System.Text.Json;
using Ferry.Config;

namespace Ferry.Sessions;

/// <summary>
/// What a service says of a user. A class and no record, so that nothing prints the password.
/// <code>
///   {"upstream":"eu"}   {"server":"192.0.2.30:2121"}   {"upstream":"eu","user":"anna2","password":"…"}   {}
/// </code>
/// </summary>
internal sealed class RouteAnswer
{
    /// <summary>Longest name of a user, as that of a client.</summary>
    private const int LongestName = 256;

    /// <summary>Longest password or place.</summary>
    private const int LongestText = 1024;

    /// <summary>The user is nobody's: 530, whatever <c>proxy_pass</c> says.</summary>
    public static RouteAnswer Refusal { get; } = new() { IsRefused = true };

    /// <summary>The service has nothing to say of the user.</summary>
    public static RouteAnswer Nothing { get; } = new();

    public bool IsRefused { get; private init; }

    /// <summary>The upstream or the server; null: where <c>proxy_pass</c> leads.</summary>
    public string? Place { get; private set; }

    /// <summary>The server, where <see cref="Place"/> is an address.</summary>
    public IPEndPoint? Server { get; private set; }

    /// <summary>What the server is to call the user; null: as without the service.</summary>
    public string? User { get; private set; }

    /// <summary>The password that the server gets; null: the client's own.</summary>
    public string? Password { get; private set; }

    /// <summary>Reads an answer.</summary>
    /// <param name="json">The whole of it.</param>
    /// <param name="mayHavePassword">The service was told the client's password, so it can have checked it.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="fault">What is wrong with it. Nothing of it is in here: it may be a password.</param>
    public static bool TryRead(ReadOnlySpan<byte> json, bool mayHavePassword, [NotNullWhen(true)] out RouteAnswer? answer, [NotNullWhen(false)] out string? fault)
    {
        var read = new RouteAnswer();
        try
        {
            fault = read.Fill(new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 }), mayHavePassword);
        }
        catch (JsonException)
        {
            fault = "its answer is no JSON";
        }
        catch (InvalidOperationException)
        {
            fault = "its answer has a text that is no Unicode"; // the reader's word for half a surrogate pair
        }
        answer = fault is null ? read : null;
        return answer is not null;
    }

    private string? Fill(Utf8JsonReader reader, bool mayHavePassword)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return "its answer is no JSON object";
        string? upstream = null, server = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (name is not ("upstream" or "server" or "user" or "password"))
            {
                reader.Skip();
                continue;
            }
            if (reader.TokenType == JsonTokenType.Null)
                continue;
            if (reader.TokenType != JsonTokenType.String)
                return $"\"{name}\" in its answer is no text";
            var value = reader.GetString()!;
            if (value.Length is 0 or > LongestText || value.Any(char.IsControl))
                return $"\"{name}\" in its answer is empty, too long, or has control characters in it";
            switch (name)
            {
                case "upstream":
                    upstream = value;
                    break;
                case "server":
                    server = value;
                    break;
                case "user":
                    User = value;
                    break;
                default:
                    Password = value;
                    break;
            }
        }
        reader.Read(); // nothing but white space stands behind the object, or it throws
        if (upstream is not null && server is not null)
            return "its answer names an upstream and a server";
        if (User?.Length > LongestName)
            return "\"user\" in its answer is too long";
        if (Password is not null && !mayHavePassword)
            return "its answer has a password, and it was not told the client's: write password=on";
        Place = upstream ?? server;
        return server is null || TryServer(server) ? null : "\"server\" in its answer is no address with a port";
    }

    // As in proxy_pass: 21 where no port is written.
    private bool TryServer(string text)
    {
        ConfigValue.SplitHostPort(text, out var host, out var portText);
        var port = 21;
        if (!ConfigValue.TryAddress(host, out var address) || ConfigValue.IsWildcard(address) || (portText is not null && !ConfigValue.TryPort(portText, out port)))
            return false;
        Server = new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
        return true;
    }
}
