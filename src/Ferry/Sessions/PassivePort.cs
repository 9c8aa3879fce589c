using System.Net;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>What a PASV or EPSV has opened and no transfer has used yet: Ferry's port for the client, and the server's that it stands for.</summary>
/// <param name="Lease">The port lent to the client; owned.</param>
/// <param name="Upstream">Where the data is fetched or delivered.</param>
/// <param name="Given">Timestamp of the loan.</param>
internal sealed record PassivePort(DataLease Lease, IPEndPoint Upstream, long Given);
