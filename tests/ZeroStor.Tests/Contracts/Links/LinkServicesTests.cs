using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts.Links;

namespace ZeroStor.Tests.Contracts.Links;

public sealed class LinkServicesTests
{
    [Fact]
    public void A_client_connects_by_links_and_by_nothing_else()
    {
        var services = new ServiceCollection();
        services.AddZeroStorClient(o => o.Gateways.Add("127.0.0.1:30000"));
        ServiceDescriptor made = Assert.Single(services, s => s.ServiceType == typeof(IConnectionFactory));
        Assert.IsType<LinkConnector>(made.KeyedImplementationInstance);
    }

    [Fact]
    public void Where_Orleans_was_not_added_that_is_said() =>
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().UseLinks());
}
