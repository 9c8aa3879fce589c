using System.Buffers.Text;
using System.Net;
using System.Text;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>
/// The key of <c>hash</c> or <c>sticky</c>. Bytes, not text: <c>$binary_remote_addr</c> is no text. It goes to its reader piece by piece and is never
/// put together.
/// </summary>
internal sealed class HashKey
{
    private readonly (Variable Variable, byte[] Literal, string Name)[] _parts;
    private readonly int _prefix4;
    private readonly int _prefix6;

    private HashKey((Variable, byte[], string)[] parts, int prefix4, int prefix6)
    {
        _parts = parts;
        _prefix4 = prefix4;
        _prefix6 = prefix6;
    }

    private enum Variable
    {
        None,
        RemoteAddress,
        BinaryRemoteAddress,
        RemotePort,
        ServerAddress,
        ServerPort,
        ServerName,
        ClientSubject,
        User,
        Host,

        /// <summary>One that the configuration defines itself.</summary>
        Other,
    }

    /// <summary>Reads the key; when it has a variable that is known only after a server was chosen, says which and returns null.</summary>
    /// <param name="template">The key.</param>
    /// <param name="unknown">That variable.</param>
    /// <param name="prefix4">So many bits of a client's IPv4 address are of the key.</param>
    /// <param name="prefix6">So many bits of a client's IPv6 address are of the key.</param>
    public static HashKey? TryCreate(TextTemplate template, out string? unknown, int prefix4 = 32, int prefix6 = 128)
    {
        unknown = null;
        var parts = new List<(Variable, byte[], string)>(template.Parts.Length);
        foreach (var part in template.Parts)
        {
            if (!part.IsVariable)
            {
                if (part.Text.Length > 0)
                    parts.Add((Variable.None, Encoding.UTF8.GetBytes(part.Text), ""));
                continue;
            }
            if (ConfigVariables.IsKnownTooLate(part.Text))
            {
                unknown = part.Text;
                return null;
            }
            parts.Add((VariableOf(part.Text), [], part.Text));
        }
        return new HashKey([.. parts], prefix4, prefix6);
    }

    /// <summary>Gives the key of a session to a reader. What is not known of the session is empty.</summary>
    public void WriteTo(ref KeySink sink, ChoiceFacts facts)
    {
        Span<byte> value = stackalloc byte[AddressText.MaxText];
        Span<byte> address = stackalloc byte[AddressText.MaxBytes];
        foreach (var (variable, literal, name) in _parts)
        {
            switch (variable)
            {
                case Variable.RemoteAddress:
                    sink.Append(value[..AddressText.WriteText(address[..WriteClient(facts.Client.Address, address)], value)]);
                    break;
                case Variable.BinaryRemoteAddress:
                    sink.Append(value[..WriteClient(facts.Client.Address, value)]);
                    break;
                case Variable.RemotePort:
                    sink.Append(value[..WriteNumber(facts.Client.Port, value)]);
                    break;
                case Variable.ServerAddress:
                    sink.Append(value[..AddressText.WriteText(facts.Listener.Address, value)]);
                    break;
                case Variable.ServerPort:
                    sink.Append(value[..WriteNumber(facts.Listener.Port, value)]);
                    break;
                case Variable.None:
                    sink.Append(literal);
                    break;
                default:
                    sink.Append(TextOf(variable, name, facts));
                    break;
            }
        }
    }

    private static string? TextOf(Variable variable, string name, ChoiceFacts facts) => variable switch
    {
        Variable.ServerName => facts.ServerName,
        Variable.ClientSubject => facts.ClientSubject,
        Variable.User => facts.User,
        Variable.Host => facts.Host,
        _ => facts.Variable?.Invoke(name),
    };

    private static Variable VariableOf(string name) => name switch
    {
        "remote_addr" => Variable.RemoteAddress,
        "binary_remote_addr" => Variable.BinaryRemoteAddress,
        "remote_port" => Variable.RemotePort,
        "server_addr" => Variable.ServerAddress,
        "server_port" => Variable.ServerPort,
        "ssl_server_name" => Variable.ServerName,
        "ssl_client_s_dn" => Variable.ClientSubject,
        "ftp_user" => Variable.User,
        "ftp_host" => Variable.Host,
        _ => Variable.Other,
    };

    /// <summary>The network of the client's address, as 4 or 16 bytes.</summary>
    private int WriteClient(IPAddress address, Span<byte> to)
    {
        var length = AddressText.WriteBytes(address, to);
        var prefix = length == 4 ? _prefix4 : _prefix6;
        for (var i = 0; i < length; i++, prefix -= 8)
            to[i] &= (byte)(0xff00 >> Math.Clamp(prefix, 0, 8));
        return length;
    }

    private static int WriteNumber(int number, Span<byte> to)
    {
        Utf8Formatter.TryFormat(number, to, out var length);
        return length;
    }
}
