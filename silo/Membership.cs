using System.Net;
using Orleans.Configuration;
using ZeroStor.Catalog;
using ZeroStor.Contracts.Links;
using ZeroStor.Grains;

namespace ZeroStor.Silo;

/// <summary>How silos find each other, and how soon they miss one that is gone. Orleans' own settings give a silo
/// that hangs more than a minute, in which every call to it waits; these give it about six seconds.</summary>
internal static class Membership
{
    /// <summary>How often a silo is asked whether it is there, and how long it has for its answer. Orleans asks others
    /// in half of it. A second was too little for a silo that had just joined on a machine with fifteen processes to a
    /// processor: it was voted out, which ends it, and whoever is slow is only slow.</summary>
    private static readonly TimeSpan ProbePeriod = TimeSpan.FromSeconds(2);

    /// <summary>A single late answer, of a pause for garbage or a lost packet, is no death.</summary>
    private const int MissedProbes = 3;

    /// <summary>One silo whose own network fails must not vote another out. Orleans takes fewer where there are too
    /// few silos for so many votes.</summary>
    private const int DeathVotes = 2;

    /// <summary>When all silos were killed and not all come back, those that do wait until the rows of the others are
    /// this old times <see cref="MissedAlive"/>: 15 seconds, not 90. It costs a small write of each silo.</summary>
    private static readonly TimeSpan AlivePeriod = TimeSpan.FromSeconds(5);

    private const int MissedAlive = 3;

    /// <summary>Silos that each one asks: two that die with it, a whole site's neighbours among them, still leave
    /// votes enough. Twice as many, as Orleans has it, cost twice the messages of an idle fabric.</summary>
    private const int ProbedSilos = 5;

    /// <summary>Silos tell each other of changes at once; reading the table finds what was not told.</summary>
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(5);

    /// <summary>How long an inner call may take that says nothing else. A call to a silo that dies ends when that is
    /// declared; this frees those that hang otherwise. Long work says its own time.</summary>
    private static readonly TimeSpan CallPatience = TimeSpan.FromSeconds(15);

    /// <summary>Grains of which a silo remembers where they are. Tables for so many are made at once: for the million
    /// that Orleans takes they are 19 MiB, and a fabric has some thousands.</summary>
    private const int RememberedGrains = 65_536;

    public static void Configure(ISiloBuilder silo, SiloSettings settings, SqlCatalog catalog)
    {
        silo.Configure<ClusterOptions>(options =>
        {
            options.ServiceId = ZeroStorSilo.ServiceId;
            options.ClusterId = ZeroStorSilo.ServiceId;
        });
        silo.Configure<SiloOptions>(options => options.SiloName = settings.Name);
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = settings.AdvertisedAddress;
            options.SiloPort = settings.Port;
            options.GatewayPort = settings.GatewayPort;
            options.SiloListeningEndpoint = new IPEndPoint(settings.ListeningAddress, settings.Port);
            options.GatewayListeningEndpoint = new IPEndPoint(settings.ListeningAddress, settings.GatewayPort);
        });
        silo.Configure<GrainDirectoryOptions>(options => options.CacheSize = RememberedGrains);
        silo.Services.UseLinks();
        silo.Configure<ConnectionOptions>(options => options.ConnectionsPerEndpoint = settings.ConnectionsPerSilo);
        if (!catalog.IsShared)
        {
            silo.UseDevelopmentClustering(new IPEndPoint(settings.AdvertisedAddress, settings.Port));
            return;
        }

        silo.UseZeroStorMembership(catalog);
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = CallPatience);
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = ProbePeriod;
            options.MaxProbeTimeout = ProbePeriod;
            options.NumMissedProbesLimit = MissedProbes;
            options.NumProbedSilos = ProbedSilos;
            options.NumVotesForDeathDeclaration = DeathVotes;
            options.IAmAliveTablePublishTimeout = AlivePeriod;
            options.NumMissedTableIAmAliveLimit = MissedAlive;
            options.TableRefreshTimeout = TableRefresh;
        });
    }
}
