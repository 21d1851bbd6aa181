using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Storage;

namespace ZeroStor.Catalog;

/// <summary>Puts a catalog into an Orleans silo, with Orleans' own tables on the same database.</summary>
public static class CatalogSilo
{
    /// <summary>Adds an open catalog; the silo's host disposes it.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="catalog">From <see cref="SqliteCatalog.OpenAsync"/> or
    /// <see cref="PostgresCatalog.OpenAsync"/>.</param>
    /// <param name="storageName">The grain storage to add beside it.</param>
    public static ISiloBuilder AddZeroStorCatalog(
        this ISiloBuilder silo, SqlCatalog catalog, string storageName = "zerostor")
    {
        silo.Services.AddSingleton<ICatalog>(_ => catalog);
        return silo.AddAdoNetGrainStorage(storageName, (AdoNetGrainStorageOptions storage) =>
        {
            storage.Invariant = catalog.Invariant;
            storage.ConnectionString = catalog.ConnectionString;

            // Plain JSON: a renamed type must not make what is stored unreadable.
            storage.GrainStorageSerializer = new SystemTextJsonGrainStorageSerializer(
                Options.Create(new SystemTextJsonGrainStorageSerializerOptions()));
        });
    }

    /// <summary>Lets the silos of one catalog find each other in its database, and keeps their reminders
    /// there.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: the catalog is one silo's alone.</exception>
    public static ISiloBuilder UseZeroStorMembership(this ISiloBuilder silo, SqlCatalog catalog)
    {
        if (!catalog.IsShared)
        {
            throw ZeroStorException.Invalid(
                "Silos cannot find each other in a catalog of one silo: give them a PostgreSQL database.");
        }

        silo.UseAdoNetClustering(clustering =>
        {
            clustering.Invariant = catalog.Invariant;
            clustering.ConnectionString = catalog.ConnectionString;
        });
        return silo.UseAdoNetReminderService((AdoNetReminderTableOptions reminders) =>
        {
            reminders.Invariant = catalog.Invariant;
            reminders.ConnectionString = catalog.ConnectionString;
        });
    }
}
