using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;

namespace Ferry.Sessions;

/// <summary>A <c>geo</c>. A look-up asks once for each length of prefix that there is, from the longest on.</summary>
internal sealed class GeoVariable : IVariable
{
    private readonly string _address;
    private readonly string _default;
    private readonly Dictionary<IPNetwork, string> _networks;
    private readonly int[] _prefixes4;
    private readonly int[] _prefixes6;

    public GeoVariable(GeoConfig config)
    {
        _address = config.Address;
        _default = config.Default;
        _networks = config.Networks.ToDictionary(static n => n.Network, static n => n.Value);
        _prefixes4 = Prefixes(config, AddressFamily.InterNetwork);
        _prefixes6 = Prefixes(config, AddressFamily.InterNetworkV6);
    }

    public string ValueIn(VariableScope scope)
    {
        if (!IPAddress.TryParse(scope.ValueOf(_address), out var address))
            return _default;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        _ = address.TryWriteBytes(bytes, out var length);
        bytes = bytes[..length];
        foreach (var prefix in length == 4 ? _prefixes4 : _prefixes6)
        {
            // From the longest on, so that what is cut off stays cut off.
            for (var i = bytes.Length - 1; i >= 0 && i >= prefix / 8; i--)
                bytes[i] &= i > prefix / 8 ? (byte)0 : (byte)(0xff00 >> (prefix % 8));
            if (_networks.TryGetValue(new IPNetwork(new IPAddress(bytes), prefix), out var value))
                return value;
        }
        return _default;
    }

    private static int[] Prefixes(GeoConfig config, AddressFamily family) =>
        [.. config.Networks.Where(n => n.Network.BaseAddress.AddressFamily == family).Select(static n => n.Network.PrefixLength).Distinct().OrderDescending()];
}
