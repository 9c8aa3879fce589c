using System.Buffers.Text;
using System.Text;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>The key of <c>hash</c>. Bytes, not text: <c>$binary_remote_addr</c> is no text. It goes into the checksum piece by piece and is never put together.</summary>
internal sealed class HashKey
{
    private readonly (Variable Variable, byte[] Literal)[] _parts;

    private HashKey((Variable, byte[])[] parts) => _parts = parts;

    private enum Variable
    {
        None,
        RemoteAddress,
        BinaryRemoteAddress,
        RemotePort,
        ServerAddress,
        ServerPort,
    }

    /// <summary>The key is empty for every client, which NGINX balances by round robin.</summary>
    public bool IsEmpty => _parts.Length == 0;

    /// <summary>Reads the key; when it has a variable that has no meaning here, says which and returns null.</summary>
    public static HashKey? TryCreate(TextTemplate template, out string? unknown)
    {
        unknown = null;
        var parts = new List<(Variable, byte[])>(template.Parts.Length);
        foreach (var part in template.Parts)
        {
            if (!part.IsVariable)
            {
                if (part.Text.Length > 0)
                    parts.Add((Variable.None, Encoding.UTF8.GetBytes(part.Text)));
                continue;
            }
            var variable = VariableOf(part.Text);
            if (variable == Variable.None)
            {
                unknown = part.Text;
                return null;
            }
            parts.Add((variable, []));
        }
        return new HashKey([.. parts]);
    }

    /// <summary>Continues a <see cref="Crc32"/> with the key of a session.</summary>
    public uint AppendTo(uint crc, ChoiceFacts facts)
    {
        Span<byte> value = stackalloc byte[AddressText.MaxText];
        foreach (var (variable, literal) in _parts)
        {
            crc = variable switch
            {
                Variable.RemoteAddress => Crc32.Append(crc, value[..AddressText.WriteText(facts.Client.Address, value)]),
                Variable.BinaryRemoteAddress => Crc32.Append(crc, value[..AddressText.WriteBytes(facts.Client.Address, value)]),
                Variable.RemotePort => Crc32.Append(crc, value[..WriteNumber(facts.Client.Port, value)]),
                Variable.ServerAddress => Crc32.Append(crc, value[..AddressText.WriteText(facts.Listener.Address, value)]),
                Variable.ServerPort => Crc32.Append(crc, value[..WriteNumber(facts.Listener.Port, value)]),
                _ => Crc32.Append(crc, literal),
            };
        }
        return crc;
    }

    private static Variable VariableOf(string name) => name switch
    {
        "remote_addr" => Variable.RemoteAddress,
        "binary_remote_addr" => Variable.BinaryRemoteAddress,
        "remote_port" => Variable.RemotePort,
        "server_addr" => Variable.ServerAddress,
        "server_port" => Variable.ServerPort,
        _ => Variable.None,
    };

    private static int WriteNumber(int number, Span<byte> to)
    {
        Utf8Formatter.TryFormat(number, to, out var length);
        return length;
    }
}
