using Ferry.Config;
using Ferry.Transport;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    // The same for control and data: a server that compares the two sees one client, and the client's own data connection may not have come yet.
    private ReadOnlyMemory<byte> Header(ProxyProtocolVersion version) => version == ProxyProtocolVersion.Off
        ? default
        : ProxyProtocol.Header(version, new ProxiedClient(_client.RemoteEndPoint, Dialled, Id, _client.TlsInfo));
}
