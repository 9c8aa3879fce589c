using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Ferry.Sessions;

/// <summary>
/// What a service is told of a user.
/// <code>
///   {"user":"anna","host":"ftp.example.com","client":"192.0.2.7","listener":"203.0.113.5:21",
///    "tls":true,"server_name":"ftp.example.com","client_subject":"CN=anna","password":"…"}
/// </code>
/// What is not known is left out. The client's port is left out on purpose: no answer could be used twice.
/// </summary>
internal sealed class RouteQuestion
{
    public required string User { get; init; }

    /// <summary>The name of HOST.</summary>
    public string? Host { get; init; }

    public required IPAddress Client { get; init; }

    /// <summary>Where the client connected to.</summary>
    public required IPEndPoint Listener { get; init; }

    public bool IsTls { get; init; }

    /// <summary>The name that the client asked for (SNI).</summary>
    public string? ServerName { get; init; }

    /// <summary>The subject of the client's certificate.</summary>
    public string? ClientSubject { get; init; }

    /// <summary>Null where the service is not told it.</summary>
    public byte[]? Password { get; init; }

    /// <summary>The question as it is sent; whoever gets it wipes it after use, for the password is in it.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("user"u8, User);
            Add(json, "host"u8, Host);
            json.WriteString("client"u8, Client.ToString());
            json.WriteString("listener"u8, Listener.ToString());
            json.WriteBoolean("tls"u8, IsTls);
            Add(json, "server_name"u8, ServerName);
            Add(json, "client_subject"u8, ClientSubject);
            if (Password is not null)
                AddPassword(json, Password);
            json.WriteEndObject();
        }
        var written = buffer.WrittenSpan.ToArray();
        buffer.Clear(); // wipes it
        return written;
    }

    private static void Add(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    // JSON has no bytes: a password that is not UTF-8 is taken for Latin-1, as old clients send it.
    private static void AddPassword(Utf8JsonWriter json, byte[] password)
    {
        if (System.Text.Unicode.Utf8.IsValid(password))
        {
            json.WriteString("password"u8, password);
            return;
        }
        var characters = new char[password.Length];
        Encoding.Latin1.GetChars(password, characters);
        json.WriteString("password"u8, characters);
        Array.Clear(characters);
    }
}
