using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace ZeroStor.Contracts.Links;

/// <summary>Makes links to silos.</summary>
internal sealed class LinkConnector : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket = LinkSocket.Make(endpoint.AddressFamily);
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            return new Link(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
